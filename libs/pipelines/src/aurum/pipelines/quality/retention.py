"""How much is kept of what checks found: what was checked just now is also what may have too many records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from aurum.common.settings.quality import QualitySettings
from aurum.core.clock import Clock
from aurum.storage.ports.quality import Retention, ValidationWriter


@dataclass(frozen=True, slots=True)
class ValidationCleanup:
    """Forgets old validations after new ones were recorded."""

    writer: ValidationWriter
    settings: QualitySettings
    clock: Clock

    async def tidy(self, suites: Iterable[str]) -> int:
        """Forget what is not to be kept of some suites; gives how many validations that were. Raises ``Unavailable``."""
        wanted = sorted(set(suites))
        if not wanted:
            return 0
        keep = Retention(self.clock.now() - timedelta(days=self.settings.keep_days), self.settings.keep_each)
        return await self.writer.forget_validations(keep, suites=wanted)
