"""The age of the newest observation of each dataset as metrics, refreshed by a background task."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import structlog

from aurum.common.telemetry.metrics import Metrics, Reading
from aurum.core.catalog.entries import DatasetQuality
from aurum.core.clock import Clock
from aurum.core.errors import Unavailable
from aurum.storage.ports.quality import QualityLog

_EVERY_S = 300.0
_FIRST_S = 15.0
"""Seconds until the first look-up: a service that starts has more urgent work."""
_HOUR_S = 3_600.0

_log = structlog.get_logger(__name__)


class Freshness:
    """Two gauges by source and dataset, with the values of the last look-up."""

    def __init__(self, quality: QualityLog, clock: Clock, metrics: Metrics) -> None:
        self._quality = quality
        self._clock = clock
        self._qualities: Sequence[DatasetQuality] = ()
        labels = ("source", "dataset")
        metrics.gauge(
            "aurum_dataset_age_seconds",
            "Age of the newest observation of a dataset; negative when the observation starts in the future.",
            self._ages,
            labels=labels,
        )
        metrics.gauge(
            "aurum_dataset_late", "1 while a dataset is older than its publisher's schedule allows.", self._late, labels=labels
        )

    async def look(self) -> None:
        """Look up all datasets. Raises ``Unavailable``."""
        self._qualities = await self._quality.datasets_quality(now=self._clock.now())

    async def keep_current(self, every_s: float = _EVERY_S) -> None:
        """Look up regularly until cancelled. When the store does not answer, the next time follows as usual."""
        await asyncio.sleep(min(_FIRST_S, every_s))
        while True:
            try:
                await self.look()
            except Unavailable as error:
                _log.warning("freshness not looked up", reason=error.operator_detail)
            # Random, so that not all processes look up at once.
            await asyncio.sleep(every_s * random.uniform(0.8, 1.2))  # noqa: S311 - nothing secret

    def _ages(self) -> Reading:
        return [((one.source, one.dataset), one.age_hours * _HOUR_S) for one in self._qualities if one.age_hours is not None]

    def _late(self) -> Reading:
        return [((one.source, one.dataset), float(one.stale)) for one in self._qualities if one.stale is not None]
