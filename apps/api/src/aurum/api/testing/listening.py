"""The service behind a socket, in a thread of this process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from aurum.api.main import create_app
from aurum.api.process.drain import DrainingLoop
from aurum.api.serving.protocol import Protocol
from aurum.common.settings import Settings

_POLL_S = 0.01


@contextmanager
def listening(settings: Settings, app: ASGIApp | None = None) -> Iterator[str]:
    """Run a service, or another application behind its server, in a thread and yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    loop: Any = partial(DrainingLoop, settings.limits)
    served = app if app is not None else create_app(settings)
    config = uvicorn.Config(served, log_config=None, access_log=False, loop=loop, http=Protocol)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(_POLL_S)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()
