"""Servers of ``http.server`` in tests, which stop without delay."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import HTTPServer
from typing import Final, TypeVar

S = TypeVar("S", bound=HTTPServer)

_LOOK_EVERY_S: Final = 0.01
"""How often a server looks whether it should stop; by default every half second, which each test would wait for."""


@contextmanager
def running_server(server: S) -> Generator[S]:
    """Run a server in a thread for the length of the block, and close it."""
    thread = threading.Thread(target=server.serve_forever, args=(_LOOK_EVERY_S,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
