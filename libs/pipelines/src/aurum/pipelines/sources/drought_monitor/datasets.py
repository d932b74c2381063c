"""Datasets of the US Drought Monitor: shares of area by category, and the index made of them."""

from __future__ import annotations

from datetime import time

from aurum.core.frequency import Frequency
from aurum.pipelines.source import Dataset, Measure, PublicationSchedule

ZONE = "America/New_York"
"""A map shows Tuesday 8 a.m. Eastern and is the value of the week that begins with that day."""

CATEGORIES = ("None", "D0", "D1", "D2", "D3", "D4")

_REFERENCE = "US Drought Monitor, Web Service Information and Comprehensive Statistics"

# "The data cutoff is Tuesday 8 a.m. EDT; the maps, which are based on analysis of the data, are released each Thursday at
# 8:30 a.m. Eastern Time."
_SCHEDULE = PublicationSchedule(days=2, at=time(8, 30), zone=ZONE)


def _dataset(name: str, title: str, measures: tuple[Measure, ...]) -> Dataset:
    return Dataset(
        source="drought_monitor",
        name=name,
        title=title,
        zone=ZONE,
        frequency=Frequency.WEEK,
        measures=measures,
        schedule=_SCHEDULE,
        reference=_REFERENCE,
        freshness_hours=24 * 10,
    )


_AREAS = tuple(Measure(f"area_{category.lower()}", "percent", column=category) for category in CATEGORIES)

CUMULATIVE = _dataset("area_percent_cumulative", "Share of area in a category or a worse one", _AREAS)
CATEGORICAL = _dataset("area_percent_categorical", "Share of area in a category and no worse one", _AREAS)
DSCI = _dataset(
    "dsci",
    "Drought Severity and Coverage Index",
    (Measure("dsci", "index", column="DSCI", title="Sum of the cumulative shares D0 to D4, 0 to 500"),),
)
