"""Child processes that end with this one, gracefully if possible."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aurum.common.settings import environment

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_GRACE_S = 30.0


@dataclass(frozen=True, slots=True)
class Child:
    """A running child process and its role, such as ``API``."""

    role: str
    process: subprocess.Popen[bytes]


def start(role: str, arguments: Sequence[str], variables: Mapping[str, str]) -> Child:
    """Start a Python module as a child process in a session of its own, so that Ctrl-C reaches only the parent."""
    process = subprocess.Popen(  # noqa: S603 - the interpreter and a module of Aurum
        [sys.executable, "-m", *arguments],
        env=environment(variables),
        start_new_session=True,
        # Safe: children are started by the main thread while no other thread runs.
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
    )
    return Child(role, process)


def stop(children: Sequence[Child]) -> None:
    """Send SIGTERM to all, wait, and kill those that still run after 30 seconds."""
    for child in children:
        if child.process.poll() is None:
            child.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_S
    for child in children:
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def first_dead(children: Sequence[Child]) -> Child | None:
    """Return a child that has ended; None if all run."""
    return next((child for child in children if child.process.poll() is not None), None)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
