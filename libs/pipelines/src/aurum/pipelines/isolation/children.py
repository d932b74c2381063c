"""The parent's side of the fork server: starts it when it is first needed or has died, and sends work to its children."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, cast

from aurum.common.settings.files import limit_of
from aurum.common.settings.load import environment_without_settings
from aurum.core.errors import Unavailable
from aurum.pipelines.isolation.causes import ChildFailed, reason_of
from aurum.pipelines.isolation.limits import Limits
from aurum.pipelines.isolation.messages import Ended, Message, TooMuch, receive, send

_START_S = 120.0
"""Longest start of the fork server, which imports the parsers."""
_REPORT_S = 30.0
"""Longest wait for the report about a child that was killed."""
_GRACE_S = 5.0
"""Time for a child to end by itself after it closed its connection."""
_ERROR_BYTES = 16_384
"""Bytes of a child's error output that the log gets."""
_ATTEMPTS = 2
"""Number of fork servers that are tried for one piece of work."""


class _ServerEnded(Exception):
    """The fork server ended before it reported about the child."""


@dataclass(slots=True)
class _Server:
    """A running fork server. ``owner``: id of the process that started it.

    ``is_shared``: forks of that process use it, too; without that they start their own.
    """

    process: subprocess.Popen[bytes]
    control: socket.socket
    owner: int
    is_shared: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether this process may use the server, which may have ended since where another process started it."""
        return self.process.poll() is None if self.owner == os.getpid() else self.is_shared

    def is_ready(self, seconds: float) -> bool:
        """Wait until the server can fork, and return whether it can; False once ``control`` is closed."""
        if self.control.fileno() < 0:
            return False
        # The byte that says so stays where it is, and a timeout of the socket would be set in all processes that share it.
        waiting = select.poll()
        waiting.register(self.control, select.POLLIN)
        with contextlib.suppress(OSError):
            return bool(waiting.poll(seconds * 1000)) and bool(self.control.recv(1, socket.MSG_PEEK))
        return False

    def end(self) -> None:
        """Close the control socket, at which the server ends its children and itself, and wait until it has ended.

        Another process than its owner only closes its own end.
        """
        if self.owner != os.getpid():
            self.control.close()
            return
        if not self.is_ready(0):
            self.process.kill()  # it would see the end of the socket only after its imports
        self.control.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Children:
    """Child processes that do one piece of work each. Safe for many threads at once.

    The fork server is started at the first piece of work and ends with this object or this process, whichever is first.
    """

    def __init__(self, factory: str, arguments: Mapping[str, object], limits: Limits) -> None:
        """``factory``: path ``module:function`` of a function that takes ``arguments`` (JSON values) and returns the ``Work``
        of a child; the server calls it once. It must not start threads, so it runs no operation of Polars.
        """
        self._argument = json.dumps({"factory": factory, "arguments": dict(arguments), "limits": asdict(limits)})
        self.limits = limits
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self.peak_kib = 0
        """Most resident memory of a child so far."""

    def start(self) -> Sequence[int]:
        """Start the fork server if it does not run, without waiting for its imports, for this process and its forks.

        Returns the descriptors that forks have to keep open to use it; none if it cannot be started now. In a fork whose
        server has ended, the next piece of work starts one for that process alone.
        """
        with self._lock:
            if self._server is None or not self._server.is_usable:
                self._stop()
                try:
                    self._start()
                except OSError:
                    return ()
            assert self._server is not None
            self._server.is_shared = True
            return (self._server.control.fileno(),)

    def close(self) -> None:
        """End the fork server. The next piece of work starts another one."""
        with self._lock:
            self._stop()

    @property
    def server_id(self) -> int | None:
        """The process id of the running fork server."""
        return self._server.process.pid if self._server is not None else None

    def answers(self, request: Message, *, most_bytes: int | None = None) -> Generator[Message]:
        """Yield the messages with which a child answers. A caller that stops early kills the child.

        ``most_bytes``: of all answers together; with None ``output_bytes`` of the limits. Raises ``ChildFailed`` when the child
        dies or exceeds a limit, ``Unavailable`` when no child can be started.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            any_answer = False
            try:
                with contextlib.closing(self._answers(request, most_bytes or self.limits.output_bytes)) as answers:
                    for answer in answers:
                        any_answer = True
                        yield answer
                return
            except _ServerEnded:
                # Not the fault of the file, unless it happens again.
                if any_answer or attempt == _ATTEMPTS:
                    raise ChildFailed("the process that starts the readers of files ended while this file was read") from None

    def _answers(self, request: Message, room: int) -> Generator[Message]:
        with contextlib.ExitStack() as stack:
            errors = stack.enter_context(tempfile.TemporaryFile())
            connection, report = self._start_child(errors, stack)
            # The time in which the caller works with an answer does not count.
            left_s, left_bytes = self.limits.wall_s, room
            try:
                self._send(connection, request, left_s)
                while True:
                    began = time.monotonic()
                    answer = receive(connection, most_bytes=left_bytes, until=began + left_s)
                    left_s -= time.monotonic() - began
                    if answer is None:
                        return
                    left_bytes -= sum(map(len, answer.bodies))
                    yield answer
            except TooMuch:
                raise ChildFailed(f"its rows fill more than {room >> 20} MiB, {limit_of('output_mib')}") from None
            except TimeoutError:
                raise ChildFailed(f"reading it takes longer than {self.limits.wall_s:g} s, {limit_of('wall_s')}") from None
            except (Ended, OSError, ValueError) as error:
                raise self._failure(report, errors) from error
            finally:
                connection.close()
                self._end(report)

    def _send(self, connection: socket.socket, request: Message, seconds: float) -> None:
        connection.settimeout(seconds)
        # A child that died is explained by its status, which the caller reads next.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            send(connection, request)

    def _failure(self, report: socket.socket, errors: IO[bytes]) -> ChildFailed | _ServerEnded:
        ended = self._report(report, _GRACE_S)  # a child that is ending is not killed: its own status names the cause
        ended = ended or self._end(report)
        if ended is None:
            return _ServerEnded()
        errors.seek(0)
        log = errors.read(_ERROR_BYTES).decode(errors="replace").strip()
        return ChildFailed(reason_of(int(ended["status"]), log, ended["processor_s"], self.limits), log)

    def _end(self, report: socket.socket) -> Mapping[str, float] | None:
        """Let the server kill a child that still runs, and return what it reports."""
        with contextlib.suppress(OSError):
            report.shutdown(socket.SHUT_WR)
        return self._report(report, _REPORT_S)

    def _report(self, report: socket.socket, seconds: float) -> Mapping[str, float] | None:
        """Return what the server reports about the end of a child; None if there is no report, or it was read before."""
        report.settimeout(seconds)
        try:
            text = report.recv(4096)
        except OSError:
            return None
        if not text:
            return None
        values = cast("Mapping[str, float]", json.loads(text))
        self.peak_kib = max(self.peak_kib, int(values["peak_kib"]))
        return values

    def _start_child(self, errors: IO[bytes], stack: contextlib.ExitStack) -> tuple[socket.socket, socket.socket]:
        """Return the connection to a new child, and the one on which the server reports how the child ended."""
        connection, of_child = socket.socketpair()
        report, of_server = socket.socketpair()
        for end in (connection, report):
            stack.enter_context(end)
        with of_child, of_server, self._lock:
            descriptors = [of_child.fileno(), of_server.fileno(), errors.fileno()]
            for attempt in range(1, _ATTEMPTS + 1):
                server = self._running()
                try:
                    socket.send_fds(server.control, [b"f"], descriptors)
                    break
                except OSError as error:
                    self._stop()
                    if attempt == _ATTEMPTS:
                        raise Unavailable("the process that starts the readers of files cannot be reached") from error
        return connection, report

    def _running(self) -> _Server:
        server = self._server
        if server is not None and server.is_usable and server.is_ready(_START_S):
            return server
        self._stop()
        server = self._start()
        if not server.is_ready(_START_S):
            self._stop()
            code = server.process.returncode
            raise Unavailable(f"the process that starts the readers of files did not start: exit code {code}")
        return server

    def _start(self) -> _Server:
        self._server = server = _start_server(self._argument)
        weakref.finalize(self, server.end)
        return server

    def _stop(self) -> None:
        if self._server is not None:
            self._server.end()
            self._server = None


def _start_server(argument: str) -> _Server:
    control, of_server = socket.socketpair()
    # Each thread of a library reserves address space, which is limited.
    single_threaded = dict.fromkeys(("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    search_path = os.pathsep.join(path for path in sys.path if path)
    with of_server:
        process = subprocess.Popen(  # noqa: S603 - this interpreter and a module of this package
            [sys.executable, "-m", "aurum.pipelines.isolation.server", argument],
            stdin=of_server.fileno(),
            stdout=subprocess.DEVNULL,
            env=environment_without_settings({**single_threaded, "PYTHONPATH": search_path}),
            start_new_session=True,  # Ctrl-C in a terminal reaches only the parent
        )
    return _Server(process, control, os.getpid())
