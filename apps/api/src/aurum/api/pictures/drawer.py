"""The drawer of pictures: a process of its own draws them, one after the other, started when the first is requested.

matplotlib takes most of a second and 70 MiB to import, and a picture a tenth of a second of a processor: in the process that
answers requests both would delay all others. What goes wrong there ends that process alone, and the next request starts
another.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from pathlib import Path

import structlog
from cachetools import LRUCache

from aurum.api.pictures.form import PictureForm
from aurum.api.pictures.process import FAILED, LENGTH_BYTES, PICTURE, REFUSED
from aurum.charts import Chart, PictureFormat
from aurum.charts.messages import DrawRequest, encode
from aurum.common.settings.load import environment_without_settings
from aurum.core.errors import Invalid, Unavailable

MEMORY_BYTES = 1 << 30
"""Most address space of the drawing process, which uses about 100 MiB."""
DEADLINE_S = 20.0
"""Time that a picture may take, with its wait and the start of the process; fonts are looked for at the very first start."""
MOST_WAITING = 16
"""Pictures that may wait: further ones are refused with 503."""
_CACHE_BYTES = 16 << 20
_LONGEST = 64 << 20

_log = structlog.get_logger(__name__)


class DrawingFailed(Exception):
    """The drawing process ended before it answered. The text says how."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was drawn. ``points``: observations in it, which count as usage whenever it is sent."""

    content: bytes
    points: int

    def __len__(self) -> int:
        """Return the size that it takes in the cache."""
        return len(self.content)


class Drawer:
    """Draws pictures in a process of its own, and caches them by the key of their content.

    ``folder``: where that process may cache what it knows of fonts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        memory_bytes: int = MEMORY_BYTES,
        deadline_s: float = DEADLINE_S,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._deadline_s = deadline_s
        self._most_waiting = most_waiting
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._drawing: dict[tuple[object, ...], asyncio.Task[Picture]] = {}
        self._pictures: LRUCache[tuple[object, ...], Picture] = LRUCache(_CACHE_BYTES, getsizeof=len)

    @property
    def pid(self) -> int | None:
        """Process id of the drawing process; None before the first request and after its end."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def cached(self, key: tuple[object, ...]) -> Picture | None:
        """Return the picture that was drawn under a key; None: none is cached."""
        return self._pictures.get(key)

    async def draw(
        self, chart: Chart, form: PictureForm, format: PictureFormat, *, key: tuple[object, ...], points: int = 0
    ) -> Picture:
        """Return the picture of a chart, which is cached under ``key``: all that it depends on, and the tenant it belongs to.

        Equal keys that are requested at the same time are drawn once. ``points``: observations in the chart.

        Raises ``Unavailable`` when too many pictures wait, when drawing takes too long, or when the process fails; ``Invalid``
        for a chart without any value.
        """
        if (picture := self._pictures.get(key)) is not None:
            return picture
        task = self._drawing.get(key)
        if task is None:
            if len(self._drawing) >= self._most_waiting:
                raise Unavailable(f"{self._most_waiting} pictures wait to be drawn already", retry_after=1.0)
            task = asyncio.create_task(self._drawn(encode(DrawRequest(chart, format, form.size, form.theme)), points))
            self._drawing[key] = task
            task.add_done_callback(lambda ended: self._ended(key, ended))
        # A client that leaves does not end the exchange, which would leave half an answer in the pipe. Others may wait for it.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End the drawing process and what it draws."""
        drawing = [*self._drawing.values()]
        for task in drawing:
            task.cancel()
        await asyncio.gather(*drawing, return_exceptions=True)
        await self._end()

    def _ended(self, key: tuple[object, ...], task: asyncio.Task[Picture]) -> None:
        del self._drawing[key]
        # An error is looked at here, too: its clients may have left, and one that is not looked at is reported.
        if task.cancelled() or task.exception() is not None:
            return
        picture = task.result()
        if len(picture) <= _CACHE_BYTES:
            self._pictures[key] = picture

    async def _drawn(self, message: bytes, points: int) -> Picture:
        try:
            async with asyncio.timeout(self._deadline_s), self._turn:
                try:
                    was_running = self.pid is not None
                    try:
                        kind, content = await self._exchange(message)
                    except DrawingFailed:
                        if not was_running:
                            raise
                        # It may have ended since the last picture, through nothing that this one did.
                        kind, content = await self._exchange(message)
                except (DrawingFailed, asyncio.CancelledError):
                    await self._end()
                    raise
        except TimeoutError as error:
            why = f"the picture was not drawn within {self._deadline_s:g} seconds: request a smaller picture or a shorter span"
            raise Unavailable(why, retry_after=2.0) from error
        except DrawingFailed as error:
            raise Unavailable(f"the picture could not be drawn: {error}", retry_after=1.0) from error
        if kind == REFUSED:
            raise Invalid(content.decode(errors="replace"))
        if kind == FAILED:
            _log.error("picture failed", cause=content.decode(errors="replace")[:2_000])
            raise Unavailable("the picture could not be drawn; the cause is in the log of the service", retry_after=1.0)
        return Picture(content, points)

    async def _exchange(self, message: bytes) -> tuple[bytes, bytes]:
        """Send a request and return the kind and the content of its answer. Raises ``DrawingFailed``."""
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(len(message).to_bytes(LENGTH_BYTES) + message)
            await process.stdin.drain()
            kind = await process.stdout.readexactly(1)
            length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES))
            if kind not in (PICTURE, REFUSED, FAILED) or length > _LONGEST:
                raise DrawingFailed("the drawing process answered with something else than a picture")
            return kind, await process.stdout.readexactly(length)
        except (asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError) as error:
            code = await process.wait()
            _log.warning("drawing process ended", code=code)
            raise DrawingFailed(f"the drawing process ended ({_how(code)})") from error

    async def _start(self) -> Process:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _log.error("folder of fonts cannot be made", folder=str(self._folder), cause=str(error))
            raise DrawingFailed("its data folder cannot be written") from error
        more = {"MPLCONFIGDIR": str(self._folder), "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "aurum.api.pictures.process",
            str(os.getpid()),
            str(self._memory_bytes),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            # It needs no password of a database.
            env=environment_without_settings(more),
        )

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"
