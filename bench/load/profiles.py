"""Profiles of load: phases and limits, read from ``profiles.json``, which the k6 scripts read as well."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

MOST_SECONDS = 600.0
"""The longest run that can be requested."""
_FILE = Path(__file__).with_name("profiles.json")


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a run: ``rate`` requests a second, sent whether or not earlier ones are answered, or a number of ``users``.

    Each user waits for an answer and then pauses before the next request.
    """

    seconds: float
    rate: float = 0.0
    users: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that a run must meet, in milliseconds and in shares of all requests; None: no limit."""

    p95_ms: float | None = None
    p99_ms: float | None = None
    error_share: float | None = None
    hit_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A named load. ``kind``: the kind of its requests."""

    name: str
    says: str
    kind: Literal["reads", "exports"]
    phases: Sequence[Phase]
    limits: Limits

    @property
    def seconds(self) -> float:
        """The time in which requests are sent."""
        return sum(phase.seconds for phase in self.phases)

    def lasting(self, seconds: float) -> Profile:
        """Return the profile scaled to a duration. Raises ``ValueError`` unless 0 < seconds <= ``MOST_SECONDS``."""
        if not 0 < seconds <= MOST_SECONDS:
            raise ValueError(f"a run takes more than 0 and at most {MOST_SECONDS:.0f} seconds, not {seconds:g}")
        factor = seconds / self.seconds
        return replace(self, phases=tuple(replace(phase, seconds=phase.seconds * factor) for phase in self.phases))


def profiles() -> Mapping[str, Profile]:
    """Return all profiles by name."""
    documents = json.loads(_FILE.read_text(encoding="utf-8"))
    return {name: _profile(name, **fields) for name, fields in documents.items()}


def _profile(
    name: str, says: str, kind: Literal["reads", "exports"], phases: list[dict[str, float]], limits: dict[str, float]
) -> Profile:
    parsed = tuple(Phase(phase["seconds"], phase.get("rate", 0.0), int(phase.get("users", 0))) for phase in phases)
    return Profile(name, says, kind, parsed, Limits(**limits))
