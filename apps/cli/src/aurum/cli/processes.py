"""Child processes that end with this one, gracefully if possible."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from aurum.common.parent_death import signal_on_parent_death
from aurum.common.settings import environment

_GRACE_S = 30.0


@dataclass(slots=True)
class Child:
    """A child process that runs a Python module. ``role``: its name in messages, such as ``API``."""

    role: str
    arguments: Sequence[str]
    variables: Mapping[str, str]
    is_needed: bool = True
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches only the parent."""
        self.process = subprocess.Popen(  # noqa: S603 - the interpreter and a module of Aurum
            [sys.executable, "-m", *self.arguments],
            env=environment(self.variables),
            start_new_session=True,
            # Safe: children are started by the main thread while no other thread runs.
            preexec_fn=partial(signal_on_parent_death, signal.SIGTERM) if sys.platform == "linux" else None,  # noqa: PLW1509
        )

    def start_again(self) -> None:
        """Start the process after it has ended."""
        self.start()

    def ended(self) -> str | None:
        """Return how the process has ended; None while it runs."""
        code = self.process.poll() if self.process is not None else None
        if code is None:
            return None
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def stop(children: Sequence[Child]) -> None:
    """Send SIGTERM to all, wait, and kill those that still run after 30 seconds."""
    running = [child.process for child in children if child.process is not None and child.process.poll() is None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_S
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
