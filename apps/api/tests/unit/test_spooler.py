"""Making spooled answers: once for all that wait, one state for a minute, and few at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.types import Message

from aurum.api.spool.folder import SpooledFile, SpoolFolder, SpoolKey, spool_key
from aurum.api.spool.spooler import Made, Spooler
from aurum.api.testing import MovableClock
from aurum.common.settings import SpoolSettings
from aurum.core.access import Caller

CSV = b"text/csv"
Sink = Callable[[Message], Awaitable[None]]


def key_of(query: bytes = b"format=csv", *, tenant: str = "acme") -> SpoolKey:
    return spool_key(Caller(tenant, "key:1", frozenset()), "", b"/v2/observations", query, "csv")


KEY = key_of()


@pytest.fixture
def folder(tmp_path: Path) -> SpoolFolder:
    return SpoolFolder(tmp_path / "spool", SpoolSettings(), MovableClock(datetime(2026, 11, 29, 12, tzinfo=UTC)))


class Answer:
    """An answer of one piece. ``made``: how often it was made."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.made = 0

    async def __call__(self, sink: Sink) -> Made:
        self.made += 1
        await sink({"type": "http.response.start", "status": 200, "headers": [(b"content-type", CSV)]})
        await sink({"type": "http.response.body", "body": self.content})
        return Made("/v2/observations", 1)


async def read(spooler: Spooler, answer: Answer, key: SpoolKey = KEY) -> bytes:
    spooled = await spooler.answer(key, answer, int)
    try:
        return spooled.read(0, spooled.head.size)
    finally:
        spooled.close()


async def test_an_answer_that_another_process_completes_after_the_look_is_the_one_state(folder: SpoolFolder) -> None:
    class Overtaken(SpoolFolder):
        """A folder in which another process completes the answer just after this one has looked for it."""

        is_overtaken = False

        def open(self, key: SpoolKey) -> SpooledFile | None:
            spooled = super().open(key)
            if not self.is_overtaken:
                self.is_overtaken = True
                writer = folder.claim(key)
                assert writer is not None
                writer.write(b"first")
                writer.finish('"data"', (), "/v2/observations")
            return spooled

    overtaken = Overtaken(Path(folder._path), folder._settings, folder._clock)
    late = Answer(b"second")
    spooler = Spooler(overtaken, (CSV,))
    assert await read(spooler, late) == b"first"
    assert late.made == 0
    assert await read(Spooler(folder, (CSV,)), late) == b"first"
    assert spooler.flights == {}
