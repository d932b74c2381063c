"""A text that is a word for a fuel, and one that is none."""

from __future__ import annotations

import pytest

from aurum.pipelines.fuels import is_word


@pytest.mark.parametrize("text", ["Dual Fuel", "火力（ＬＮＧ）", "Wind\u3000(Offshore)", "B20"])
def test_a_word_is_short_and_has_a_letter(text: str) -> None:
    assert is_word(text)


@pytest.mark.parametrize(
    "text", ["", "12.5", "x" * 61, "Nu\0clear", "Nuclear\u200b", "\ufeffNuclear", "Nu\x91clear", "\u202eNuclear"]
)
def test_a_number_a_long_text_and_one_with_characters_that_cannot_be_seen_are_none(text: str) -> None:
    assert not is_word(text)
