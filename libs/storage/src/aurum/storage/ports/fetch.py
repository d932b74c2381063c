"""The last successful fetch of each dataset from its publisher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FetchState:
    """The last fetch of a dataset whose files were loaded. No field holds a key or a token.

    ``fetched_at``: UTC. ``url``: address of the file without its key. ``etag``, ``modified``: the headers ``ETag`` and
    ``Last-Modified`` of the answer; empty for none. ``digest``: SHA-256 of the content, hexadecimal.
    """

    source: str
    dataset: str
    fetched_at: datetime
    url: str
    etag: str
    modified: str
    digest: str


class FetchStates(Protocol):
    """States of fetches, at most one for each dataset. All methods raise ``Unavailable`` when the store does not answer."""

    async def state(self, source: str, dataset: str) -> FetchState | None:
        """Return the last successful fetch of a dataset; None if there was none."""
        ...

    async def states(self) -> Sequence[FetchState]:
        """Return those of all datasets, ascending by source and dataset."""
        ...

    async def record(self, state: FetchState) -> None:
        """Store a fetch, unless a later one of its dataset is stored."""
        ...
