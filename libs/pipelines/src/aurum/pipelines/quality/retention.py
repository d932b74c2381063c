"""Deletes old validations of the suites that were just evaluated, the only ones whose number has grown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from aurum.common.settings.quality import QualitySettings
from aurum.core.clock import Clock
from aurum.storage.ports.quality import Retention, ValidationWriter


@dataclass(frozen=True, slots=True)
class ValidationCleanup:
    """The removal of old validations after new ones were recorded."""

    writer: ValidationWriter
    settings: QualitySettings
    clock: Clock

    async def tidy(self, suites: Iterable[str]) -> int:
        """Delete the validations of some suites that the retention settings no longer cover, and return their number.

        Raises ``Unavailable``.
        """
        names = sorted(set(suites))
        if not names:
            return 0
        retention = Retention(self.clock.now() - timedelta(days=self.settings.keep_days), self.settings.keep_each)
        return await self.writer.forget_validations(retention, suites=names)
