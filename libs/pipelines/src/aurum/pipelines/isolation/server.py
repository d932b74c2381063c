"""``python -m aurum.pipelines.isolation.server``: imports the parsers once and forks a child for each piece of work.

Standard input is the control socket (``aurum.common.forking.server``).
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aurum.common.forking.limits import limit_this_process
from aurum.common.forking.server import ForkServer
from aurum.pipelines.isolation.limits import ERROR_BYTES, Limits
from aurum.pipelines.isolation.messages import Message, receive, send

Work = Callable[[Message], Iterator[Message]]
"""A function that does one piece of work in a child: it yields the messages of the answer to a request."""


def main() -> None:
    """Serve until the control socket ends. Argument: a JSON object with ``factory``, ``arguments`` and ``limits``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    argument: Mapping[str, Any] = json.loads(sys.argv[1])
    module, _, name = str(argument["factory"]).partition(":")
    work: Work = getattr(importlib.import_module(module), name)(**argument["arguments"])
    limits = Limits(**argument["limits"])

    def answer(connection: socket.socket, server: int) -> None:
        limit_this_process(
            parent=server, memory_bytes=limits.memory_bytes, processor_s=limits.processor_s, file_bytes=ERROR_BYTES
        )
        request = receive(connection)
        if request is not None:
            for message in work(request):
                send(connection, message)
        send(connection, None)

    with socket.socket(fileno=os.dup(0)) as control:
        ForkServer(control, answer).serve()


if __name__ == "__main__":
    main()
