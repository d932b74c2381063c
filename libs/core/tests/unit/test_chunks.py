"""Splitting of a sequence into chunks by size."""

from __future__ import annotations

import pytest

from aurum.core.chunks import chunks


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([3, 4, 3, 1], [[3, 4, 3], [1]]),
        ([20, 1, 20], [[20], [1], [20]]),
        ([10, 10], [[10], [10]]),
        ([0, 0, 10, 0], [[0, 0, 10, 0]]),
    ],
)
def test_items_stay_in_order_and_each_chunk_is_as_large_as_fits(sizes: list[int], expected: list[list[int]]) -> None:
    assert list(chunks(sizes, size=lambda size: size, most=10)) == expected
