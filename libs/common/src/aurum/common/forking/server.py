"""The loop of a fork server, whose parent asks for children over a control socket.

Each request brings three descriptors: the connection of the child, the connection on which this server reports how the child
ended, and the file or pipe of the child's error output. The parent ends a child by the second one: the byte ``TERMINATE`` sends
it SIGTERM, anything else, or the end of the connection, SIGKILL. The end of the control socket, which is the end of the parent,
ends this process and its children.

The standard library's fork server is not used because its children import the parent's main module again.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import os
import resource
import selectors
import signal
import socket
import traceback
from collections.abc import Callable, Sequence
from typing import TypeAlias

from aurum.common.forking.endings import MEMORY_EXIT

DESCRIPTORS = 3
REQUEST = b"f"
READY = b"."
TERMINATE = b"t"

ChildWork: TypeAlias = Callable[[socket.socket, int], None]
"""The work of a child: gets its connection to the parent and the process id of the fork server, for ``limit_this_process``.

It runs in a process of its own, which ends when it returns. It sets the limits of its process itself.
"""


def _nothing() -> Sequence[int]:
    return ()


class ForkServer:
    """The loop of a fork server. It has one thread, and does no work of its own, so that a fork copies no held lock.

    ``shared``: called before each fork; returns the descriptors that the child keeps open, beside those of the request.
    """

    def __init__(self, control: socket.socket, work: ChildWork, shared: Callable[[], Sequence[int]] = _nothing) -> None:
        self._control = control
        self._work = work
        self._shared = shared
        self._reports: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Say that this process is ready, then fork children until the control socket ends."""
        # The garbage collector writes to objects that it looks at, and a child copies the pages it writes to.
        gc.collect()
        gc.freeze()
        self._control.sendall(READY)
        wakeups, signals = socket.socketpair()
        for end in (wakeups, signals):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, _take_signal)
        signal.set_wakeup_fd(signals.fileno(), warn_on_full_buffer=False)
        try:
            self._fork_until_the_end(wakeups)
        finally:
            # Processes that ``shared`` has started may end later than these sockets.
            signal.set_wakeup_fd(-1)

    def _fork_until_the_end(self, wakeups: socket.socket) -> None:
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(wakeups, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    if not self._accept():
                        self._kill_all()
                        return
                elif key.fileobj is wakeups:
                    with contextlib.suppress(BlockingIOError):
                        wakeups.recv(4096)
                    self._reap()
                elif key.data in self._reports:
                    self._end_child(key.data)

    def _accept(self) -> bool:
        """Fork a child for the next request. Return False when the control socket has ended."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 1, DESCRIPTORS)
        except ConnectionResetError:
            return False  # the parent ended and had not taken the byte ``READY`` from the socket
        if not data:
            return False
        connection, report, errors = descriptors
        server, shared = os.getpid(), self._shared()
        try:
            child = os.fork()
        except OSError:
            child = -1  # the parent sees a report connection that ends without a status
        if child == 0:
            _run(self._work, connection, errors, server, shared)
        os.close(connection)
        os.close(errors)
        if child < 0:
            os.close(report)
            return True
        self._reports[child] = socket.socket(fileno=report)
        self._selector.register(self._reports[child], selectors.EVENT_READ, child)
        return True

    def _end_child(self, child: int) -> None:
        """Do what the parent orders for a child, which is not reaped yet, so that its id names no other process."""
        report = self._reports[child]
        try:
            order = report.recv(1)
        except OSError:
            order = b""
        if order == TERMINATE:
            os.kill(child, signal.SIGTERM)
            return
        self._selector.unregister(report)
        os.kill(child, signal.SIGKILL)

    def _reap(self) -> None:
        while self._reports:
            child, status, usage = os.wait4(-1, os.WNOHANG)
            if child == 0:
                return
            report = self._reports.pop(child, None)
            if report is None:
                continue  # a process that ``shared`` has started
            with contextlib.suppress(KeyError):
                self._selector.unregister(report)
            with contextlib.suppress(OSError):
                report.sendall(json.dumps(_report(status, usage)).encode())
            report.close()

    def _kill_all(self) -> None:
        for child in self._reports:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _close_but(shared: Sequence[int]) -> None:
    """Close all descriptors from 4 on but some."""
    first = 4
    for descriptor in sorted(shared):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, 1 << 16)


def _take_signal(signal_number: int, frame: object) -> None:
    """Do nothing: the interpreter writes the number of a signal to the wake-up descriptor only if the signal has a handler."""


def _report(status: int, usage: resource.struct_rusage) -> dict[str, float]:
    return {"status": status, "peak_kib": usage.ru_maxrss, "processor_s": usage.ru_utime + usage.ru_stime}


def _run(work: ChildWork, connection: int, errors: int, server: int, shared: Sequence[int]) -> None:
    """Do one piece of work in the child; never return."""
    code = 1
    try:
        for stream, opened in enumerate((os.open(os.devnull, os.O_RDONLY), errors, errors)):
            os.dup2(opened, stream)
        os.dup2(connection, 3)
        signal.set_wakeup_fd(-1)  # before the descriptor it names is closed
        _close_but(shared)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        faulthandler.enable(2)
        # Only the end of this process closes it, so that the parent then finds a status.
        work(socket.socket(fileno=3), server)
        code = 0
    except MemoryError:
        code = MEMORY_EXIT
    except BaseException:  # noqa: BLE001 - whatever happens, the child ends here
        os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(code)
