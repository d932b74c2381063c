"""The limits of a child process that reads foreign bytes."""

from __future__ import annotations

from dataclasses import dataclass

ERROR_BYTES = 1 << 20
"""Most bytes that a child can write to a file. It writes only to the file of its error output."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one child. ``memory_bytes``: of its address space. ``processor_s``, ``wall_s``: seconds of processor and of
    elapsed time. ``output_bytes``: of all messages of its answer together.

    The kernel enforces the first two, the parent the last two.
    """

    memory_bytes: int = 2 << 30
    processor_s: int = 120
    wall_s: float = 300.0
    output_bytes: int = 1 << 30
