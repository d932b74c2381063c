"""A replacement for the module ``time``, whose monotonic clock moves only when a test moves it."""

from __future__ import annotations

import time


class MovedTime:
    """Replaces ``time`` in a module that reads only ``time.monotonic``. ``now``: its seconds."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def monotonic(self) -> float:
        return self.now
