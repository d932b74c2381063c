"""Splitting of a sequence into chunks of bounded size, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Sequence[T], *, size: Callable[[T], int], most: int) -> Iterator[Sequence[T]]:
    """Yield chunks of the items, in order, each with a total size of at most ``most``.

    An item that is larger than ``most`` is a chunk of its own.
    """
    first = total = 0
    for position, item in enumerate(items):
        extent = size(item)
        if position > first and total + extent > most:
            yield items[first:position]
            first, total = position, 0
        total += extent
    if items:
        yield items[first:]
