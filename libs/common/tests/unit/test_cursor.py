import pytest

from aurum.common.cursor import ForgedCursor, seal, unseal

SECRET = b"secret"


@pytest.mark.parametrize("position", [["a"], ["a:b c/ü", "2025-01-01"], [""]])
def test_a_cursor_gives_back_what_was_sealed(position: list[str]) -> None:
    assert unseal(SECRET, seal(SECRET, scope="/list?x=1", position=position), scope="/list?x=1") == position


def test_a_cursor_of_another_list_is_refused() -> None:
    cursor = seal(SECRET, scope="/list?x=1", position=["a"])
    with pytest.raises(ForgedCursor, match="these filters"):
        unseal(SECRET, cursor, scope="/list?x=2")


@pytest.mark.parametrize("text", ["", "abc", "%%%", "ÿ", "A" * 200])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ForgedCursor):
        unseal(SECRET, text, scope="/list")


def test_a_changed_letter_is_noticed_wherever_it_is() -> None:
    cursor = seal(SECRET, scope="/list", position=["nyiso:pal:61761:load"])
    for place in range(0, len(cursor) - 1, 3):
        letter = "A" if cursor[place] != "A" else "B"
        with pytest.raises(ForgedCursor):
            unseal(SECRET, cursor[:place] + letter + cursor[place + 1 :], scope="/list")
