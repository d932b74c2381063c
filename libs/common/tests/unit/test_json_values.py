"""JSON values that PostgreSQL can store."""

from __future__ import annotations

from typing import Any

import pytest

from aurum.common.json_values import DEEPEST, refuse_unstorable


def nested(levels: int, *, inner: Any = 1) -> Any:
    value = inner
    for number in range(levels - 1):
        value = [value] if number % 2 else {"a": value}
    return value


@pytest.mark.parametrize("value", [None, 1, "a", {}, [], {"a": [1, {"b": 2.5}], "c": ["\ud7ff"]}, nested(DEEPEST)])
def test_a_value_that_can_be_stored_is_accepted(value: Any) -> None:
    refuse_unstorable(value)


@pytest.mark.parametrize("scalar", ["\x00", "a\ud800", float("nan"), float("-inf")])
@pytest.mark.parametrize("levels", [1, 2, 3, DEEPEST])
def test_a_value_that_cannot_be_stored_is_refused_at_every_level(scalar: Any, levels: int) -> None:
    with pytest.raises(ValueError, match=r"NUL|finite"):
        refuse_unstorable(nested(levels, inner=scalar))


def test_names_of_members_are_checked() -> None:
    with pytest.raises(ValueError, match="NUL"):
        refuse_unstorable([{"a\x00": 1}])


@pytest.mark.parametrize("levels", [DEEPEST + 1, 100_000])
def test_too_many_levels_are_refused_however_many(levels: int) -> None:
    with pytest.raises(ValueError, match="levels"):
        refuse_unstorable(nested(levels))
