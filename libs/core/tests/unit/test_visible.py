"""Characters that show nothing."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.keys import InvalidSeriesKey, SeriesKey, is_location
from aurum.core.visible import is_visible, visible

IGNORABLE = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u180f\u2060\u2065\u3164\ufe00\ufe0f\ufeff\uffa0\ufff8"
TAGS = "\U0001bca0\U0001d173\U000e0001\U000e0020\U000e007f\U000e0100\U000e01ef\U000e0fff"


@pytest.mark.parametrize("character", IGNORABLE + TAGS, ids=ascii)
def test_no_default_ignorable_character_is_part_of_an_id(character: str) -> None:
    assert not is_visible(f"617{character}57")
    assert not is_location(character)
    with pytest.raises(InvalidSeriesKey, match="cannot be seen"):
        SeriesKey("nyiso", "pal", f"617{character}57", "load")


@pytest.mark.parametrize("text", ["HUD VL", "Québec", "東京", "UN.FRNKLNSQ13.810CC", "a:b/c%", "الرياض", "कोलकाता"])
def test_names_in_any_script_are_visible(text: str) -> None:
    assert is_visible(text)
    assert visible(text) == text


@given(text=st.text(max_size=30))
def test_a_visible_text_has_no_unprintable_character_and_stays_as_it_is(text: str) -> None:
    shown = visible(text)
    assert is_visible(shown)
    assert shown.isprintable()
    assert visible(shown) == shown


def test_every_format_character_is_invisible() -> None:
    formats = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"]
    assert not any(is_visible(character) for character in formats)
