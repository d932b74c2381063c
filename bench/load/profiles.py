"""What load there is: phases and limits, read from ``profiles.json``, which the k6 scripts read, too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

MOST_SECONDS = 600.0
"""No run is longer, whatever is asked for."""
_FILE = Path(__file__).with_name("profiles.json")


@dataclass(frozen=True, slots=True)
class Phase:
    """Either ``rate`` requests a second, begun whether or not earlier ones are answered, or so many ``users``, of whom each
    waits for an answer and thinks before the next request."""

    seconds: float
    rate: float = 0.0
    users: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run must keep to; None: no limit. Milliseconds, shares of all requests."""

    p95_ms: float | None = None
    p99_ms: float | None = None
    error_share: float | None = None
    hit_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A load by name. ``kind``: which requests it is made of."""

    name: str
    says: str
    kind: Literal["reads", "exports"]
    phases: Sequence[Phase]
    limits: Limits

    @property
    def seconds(self) -> float:
        """How long requests are begun."""
        return sum(phase.seconds for phase in self.phases)

    def lasting(self, seconds: float) -> Profile:
        """The same phases, longer or shorter. Raises ``ValueError`` unless it is more than 0 and at most ``MOST_SECONDS``."""
        if not 0 < seconds <= MOST_SECONDS:
            raise ValueError(f"a run takes more than 0 and at most {MOST_SECONDS:.0f} seconds, not {seconds:g}")
        factor = seconds / self.seconds
        return replace(self, phases=tuple(replace(phase, seconds=phase.seconds * factor) for phase in self.phases))


def profiles() -> Mapping[str, Profile]:
    """All profiles, by name."""
    given = json.loads(_FILE.read_text(encoding="utf-8"))
    return {name: _profile(name, **fields) for name, fields in given.items()}


def _profile(
    name: str, says: str, kind: Literal["reads", "exports"], phases: list[dict[str, float]], limits: dict[str, float]
) -> Profile:
    made = tuple(Phase(phase["seconds"], phase.get("rate", 0.0), int(phase.get("users", 0))) for phase in phases)
    return Profile(name, says, kind, made, Limits(**limits))
