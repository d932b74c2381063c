"""The form of API keys, and the errors of malformed ones."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.api_keys import MalformedKey, key_text, parse_key


@given(st.binary(min_size=40, max_size=40))
def test_a_key_leads_back_to_its_id_and_digest(random: bytes) -> None:
    text, parts = key_text(random)
    assert parse_key(text) == parts
    assert parts.digest == hashlib.sha256(text[len("aurum_") + 17 : -8].encode()).digest()
    assert text.startswith(f"aurum_{parts.key_id}_")


@given(st.binary(min_size=40, max_size=40), st.integers(0, 200), st.characters(min_codepoint=33, max_codepoint=126))
def test_a_typo_is_told_from_an_unknown_key(random: bytes, place: int, character: str) -> None:
    text, _ = key_text(random)
    place %= len(text)
    if text[place] == character:
        return
    with pytest.raises(MalformedKey) as caught:
        parse_key(text[:place] + character + text[place + 1 :])
    assert text[24:60] not in str(caught.value), "no part of a secret is ever said"


@pytest.mark.parametrize("text", ["", "aurum_", "x" * 80, key_text(bytes(40))[0][:-1], key_text(bytes(40))[0] + "0"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedKey):
        parse_key(text)
