"""``python -m aurum.pipelines.isolation.server``: imports the parsers once and forks a child for each piece of work.

Standard input is the control socket. Each request on it brings three descriptors: the connection of the child, the connection
on which this server reports how the child ended, and the file of the child's error output. A byte on the second one, or its
end, asks to kill the child. The end of the control socket, which is the end of the parent, ends this process and its children.

The standard library's fork server is not used because its children import the parent's main module again.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aurum.pipelines.isolation.causes import MEMORY_EXIT
from aurum.pipelines.isolation.limits import Limits, limit_this_process
from aurum.pipelines.isolation.messages import Message, receive, send

Work = Callable[[Message], Iterator[Message]]
"""A function that does one piece of work in a child: it yields the messages of the answer to a request."""

DESCRIPTORS = 3
READY = b"."


def main() -> None:
    """Serve until the control socket ends. Argument: a JSON object with ``factory``, ``arguments`` and ``limits``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    argument: Mapping[str, Any] = json.loads(sys.argv[1])
    module, _, name = str(argument["factory"]).partition(":")
    work: Work = getattr(importlib.import_module(module), name)(**argument["arguments"])
    # The garbage collector writes to objects that it looks at, and a child copies the pages it writes to.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as control:
        control.sendall(READY)
        _Server(control, work, Limits(**argument["limits"])).serve()


class _Server:
    """The loop of the fork server. It has one thread, and does no work of its own, so that a fork copies no held lock."""

    def __init__(self, control: socket.socket, work: Work, limits: Limits) -> None:
        self._control = control
        self._work = work
        self._limits = limits
        self._reports: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        wakeups, signals = socket.socketpair()
        for end in (wakeups, signals):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, _take_signal)
        signal.set_wakeup_fd(signals.fileno(), warn_on_full_buffer=False)
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
                    self._selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)  # not reaped yet, so the id names no other process

    def _accept(self) -> bool:
        """Fork a child for the next request. Return False when the control socket has ended."""
        data, descriptors, _, _ = socket.recv_fds(self._control, 1, DESCRIPTORS)
        if not data:
            return False
        connection, report, errors = descriptors
        server = os.getpid()
        try:
            child = os.fork()
        except OSError:
            child = -1  # the parent sees a report connection that ends without a status
        if child == 0:
            _run(self._work, connection, errors, self._limits, server)
        os.close(connection)
        os.close(errors)
        if child < 0:
            os.close(report)
            return True
        self._reports[child] = socket.socket(fileno=report)
        self._selector.register(self._reports[child], selectors.EVENT_READ, child)
        return True

    def _reap(self) -> None:
        while self._reports:
            child, status, usage = os.wait4(-1, os.WNOHANG)
            if child == 0:
                return
            report = self._reports.pop(child)
            with contextlib.suppress(KeyError):
                self._selector.unregister(report)
            with contextlib.suppress(OSError):
                report.sendall(json.dumps(_report(status, usage)).encode())
            report.close()

    def _kill_all(self) -> None:
        for child in self._reports:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _take_signal(signal_number: int, frame: object) -> None:
    """Do nothing: the interpreter writes the number of a signal to the wake-up descriptor only if the signal has a handler."""


def _report(status: int, usage: resource.struct_rusage) -> dict[str, float]:
    return {"status": status, "peak_kib": usage.ru_maxrss, "processor_s": usage.ru_utime + usage.ru_stime}


def _run(work: Work, connection: int, errors: int, limits: Limits, server: int) -> None:
    """Do one piece of work in the child; never return."""
    code = 1
    try:
        for stream, opened in enumerate((os.open(os.devnull, os.O_RDONLY), errors, errors)):
            os.dup2(opened, stream)
        os.dup2(connection, 3)
        os.closerange(4, 1 << 16)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        limit_this_process(limits, parent=server)
        faulthandler.enable(2)
        parent = socket.socket(fileno=3)  # only the end of this process closes it, so that the parent then finds a status
        request = receive(parent)
        if request is not None:
            for answer in work(request):
                send(parent, answer)
        send(parent, None)
        code = 0
    except MemoryError:
        code = MEMORY_EXIT
    except BaseException:  # noqa: BLE001 - whatever happens, the child ends here
        os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
