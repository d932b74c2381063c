"""Which keys the patterns of series match."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aurum.storage.series_patterns import SeriesPatterns

TEXTS = st.text("ab*", max_size=8)
# Characters that are special in other kinds of patterns, and the end of a line.
ODD_TEXTS = st.text("a*.?[]!\\\n%_/", max_size=6)


def expression(pattern: str) -> re.Pattern[str]:
    """Return the pattern as a regular expression, which takes too long for long keys."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


@given(st.lists(TEXTS | ODD_TEXTS, min_size=1, max_size=3), TEXTS | ODD_TEXTS)
@example(["a*a"], "a")
@example(["a*b*b"], "ab")
@example(["*ab*b"], "aab")
@example(["*"], "")
@example([""], "a")
def test_only_the_star_is_special(patterns: list[str], key: str) -> None:
    expected = any(expression(one).fullmatch(key) for one in patterns)
    assert SeriesPatterns(patterns).matches(key) is expected


@pytest.mark.parametrize("pattern", ["*" * 30 + "x", "*a" * 30 + "*x", "a*" * 30 + "x*"])
def test_many_stars_do_not_hold_up_the_service(pattern: str) -> None:
    # With backtracking this test would not end.
    key = "a" * 10_000
    assert not SeriesPatterns([pattern]).matches(key)
    assert SeriesPatterns([pattern]).matches(key + "x")
