"""The worker's side of the ready job process: it is started, watched and started again, and asked for children."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import structlog

from aurum.common.forking.server import READY, REQUEST, TERMINATE
from aurum.common.settings import environment
from aurum.core.errors import Unavailable
from aurum.workers.processes.messages import BadMessage, Message, encoded, read
from aurum.workers.processes.setup import Setup

_START_S = 120.0
"""Longest start of the ready job process, which imports the pipelines."""
_END_S = 5.0
_REPORT_S = 30.0
"""Longest wait for the report about a child whose connection has ended."""
_ERROR_BYTES = 16_384
"""Bytes of the end of a child's error output that are evidence."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
_MOST_STARTS = 5
"""Starts that may fail in a row before the worker gives up."""
_NO_ROOM_S = 0.005

_log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """The ready job process has ended several times before it was ready."""


@dataclass(frozen=True, slots=True)
class ChildEnd:
    """How a child ended. ``message``: its last one, about the attempt; None when it ended without. ``code``: exit code, or the
    negative number of a signal; None when the ready job process ended first, at which its children end. ``errors``: the end
    of its error output.
    """

    message: Message | None
    code: int | None
    peak_mib: float = 0.0
    processor_s: float = 0.0
    errors: str = ""


class Child:
    """A child that runs one attempt."""

    def __init__(self, connection: socket.socket, report: socket.socket, errors: int) -> None:
        self._connection = connection
        self._report = report
        self._errors = _ErrorOutput(errors)
        self._is_killed = False

    def terminate(self) -> None:
        """Ask the child to cancel its work."""
        with contextlib.suppress(OSError):
            self._report.send(TERMINATE)

    def kill(self) -> None:
        """End the child at once."""
        if not self._is_killed:
            self._is_killed = True
            with contextlib.suppress(OSError):
                self._report.shutdown(socket.SHUT_WR)

    async def work(self, job: Message, receive: Callable[[Message], None]) -> ChildEnd:
        """Send the job, pass on the messages of the child, and return how it ended. Cancelling this kills the child."""
        end: Message | None = None
        try:
            reader, writer = await asyncio.open_unix_connection(sock=self._connection)
            try:
                writer.write(encoded(job))
                while (message := await read(reader)) is not None:
                    if "end" in message:
                        end = message
                    else:
                        receive(message)
            except BadMessage as error:
                self.kill()
                _log.warning("a job sent what is not a message", reason=str(error))
            finally:
                writer.close()
            return await self._ended(end)
        finally:
            self.kill()
            self._report.close()
            self._errors.close()

    async def _ended(self, message: Message | None) -> ChildEnd:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_REPORT_S):
                text = await loop.sock_recv(self._report, 4096)
        except (TimeoutError, OSError):
            text = b""
        if not text:
            return ChildEnd(message, None, errors=self._errors.text())
        report = cast("Mapping[str, Any]", json.loads(text))
        code = os.waitstatus_to_exitcode(int(report["status"]))
        return ChildEnd(message, code, report["peak_kib"] / 1024, report["processor_s"], self._errors.text())


class _ErrorOutput:
    """The error output of a child: passed on to that of this process line by line; its end is remembered."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._end: deque[bytes] = deque()
        self._size = 0
        self._line = b""
        self._loop = asyncio.get_running_loop()
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._read)

    def text(self) -> str:
        """Return the last bytes, as text."""
        self._read()
        return b"".join(self._end)[-_ERROR_BYTES:].decode(errors="replace").strip()

    def close(self) -> None:
        """Stop reading: processes that the child started may still write."""
        if self._descriptor >= 0:
            self._read()
            self._pass_on(b"\n" if self._line else b"")
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self) -> None:
        if self._descriptor < 0:
            return
        try:
            part = os.read(self._descriptor, 65_536)
        except BlockingIOError:
            return
        if not part:
            self._loop.remove_reader(self._descriptor)
            return
        self._end.append(part)
        self._size += len(part)
        while self._size - len(self._end[0]) > _ERROR_BYTES:
            self._size -= len(self._end.popleft())
        self._pass_on(part)

    def _pass_on(self, part: bytes) -> None:
        lines, newline, self._line = (self._line + part).rpartition(b"\n")
        if len(self._line) > _ERROR_BYTES:  # output without ends of lines, such as a bar that is drawn again and again
            lines, newline, self._line = lines + newline + self._line, b"\n", b""
        with contextlib.suppress(OSError):
            os.write(2, lines + newline)


class ReadyProcess:
    """The ready job process of a worker. ``keep_running`` starts it, and again whenever it ends."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.ready = asyncio.Event()
        """Set while children can be forked."""

    @property
    def pid(self) -> int | None:
        """Its process id; None while it does not run."""
        return self._process.pid if self._process is not None else None

    async def keep_running(self) -> None:
        """Run it until cancelled, which ends it and its children. Raises ``CannotStart`` when it ends again and again."""
        failures = 0
        try:
            while True:
                if await self._start():
                    failures = 0
                    self.ready.set()
                    await self._until_it_ends()
                    self.ready.clear()
                else:
                    failures += 1
                code = await self._end()
                pause = min(_FIRST_PAUSE_S * 2**failures, _LONGEST_PAUSE_S)
                _log.error("the ready job process has ended; it is started again", exit_code=code, after_s=pause)
                if failures >= _MOST_STARTS:
                    raise CannotStart(f"the ready job process ended {failures} times before it was ready, exit code {code}")
                await asyncio.sleep(pause)
        finally:
            self.ready.clear()
            await self._end()

    async def fork(self) -> Child:
        """Return a new child. Raises ``Unavailable`` while the ready job process does not run."""
        control = self._control
        if control is None or not self.ready.is_set():
            raise Unavailable("the ready job process is being started", retry_after=1.0)
        connection, of_child = socket.socketpair()
        report, of_server = socket.socketpair()
        errors, of_errors = os.pipe()
        for end in (connection, report):
            end.setblocking(False)
        try:
            await self._request(control, [of_child.fileno(), of_server.fileno(), of_errors])
        except OSError as error:
            connection.close()
            report.close()
            os.close(errors)
            raise Unavailable("the ready job process has ended", retry_after=1.0) from error
        finally:
            of_child.close()
            of_server.close()
            os.close(of_errors)
        return Child(connection, report, errors)

    async def _request(self, control: socket.socket, descriptors: list[int]) -> None:
        while True:
            try:
                socket.send_fds(control, [REQUEST], descriptors)
            except BlockingIOError:
                await asyncio.sleep(_NO_ROOM_S)  # many requests wait
            else:
                return

    async def _start(self) -> bool:
        """Start it and wait until it is ready. Return False when it ended before."""
        control, of_server = socket.socketpair()
        control.setblocking(False)
        self._control = control
        # A process that forks has as few threads as its libraries allow.
        alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        with of_server:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - a start takes a few milliseconds
                [sys.executable, "-m", "aurum.workers.processes.server"],
                stdin=of_server.fileno(),
                env=environment({**alone, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}),
                start_new_session=True,  # Ctrl-C in a terminal reaches only the worker
            )
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_START_S):
                await loop.sock_sendall(control, self._setup.as_bytes())
                return await loop.sock_recv(control, 1) == READY
        except (TimeoutError, OSError):
            return False

    async def _until_it_ends(self) -> None:
        assert self._control is not None
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_recv(self._control, 1)

    async def _end(self) -> int | None:
        """Close the control socket, at which it ends its children and itself, and return its exit code."""
        control, process = self._control, self._process
        self._control = self._process = None
        if control is not None:
            control.close()
        return None if process is None else await asyncio.to_thread(_wait_for, process)


def _wait_for(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
