"""Datasets of the US Drought Monitor: shares of area by category, and the index made of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from aurum.core.catalog import Kind
from aurum.core.frequency import Frequency
from aurum.core.publication import Evidence, OnDay, PublicationRule
from aurum.pipelines.source import Dataset, Measure

ZONE = "America/New_York"
"""A map shows Tuesday 8 a.m. Eastern and is the value of the week that begins with that day."""

CATEGORIES = ("None", "D0", "D1", "D2", "D3", "D4")

_REFERENCE = "US Drought Monitor, Web Service Information and Comprehensive Statistics"

_RULE = PublicationRule(
    OnDay(days=2, at=time(8, 30), zone=ZONE),
    "US Drought Monitor, About the Data: the data cutoff is Tuesday 8 a.m. EDT; the maps are released each Thursday at "
    "8:30 a.m. Eastern Time",
    Evidence.DOCUMENTED,
)


def _dataset(name: str, title: str, measures: tuple[Measure, ...]) -> Dataset:
    return Dataset(
        source="drought_monitor",
        name=name,
        title=title,
        zone=ZONE,
        frequency=Frequency.WEEK,
        measures=measures,
        rules=(_RULE,),
        reference=_REFERENCE,
        freshness_hours=24 * 10,
        kind=Kind.DROUGHT,
    )


_AREAS = tuple(Measure(f"area_{category.lower()}", "percent", column=category) for category in CATEGORIES)

CUMULATIVE = _dataset("area_percent_cumulative", "Share of area in a category or a worse one", _AREAS)
CATEGORICAL = replace(
    _dataset("area_percent_categorical", "Share of area in a category and no worse one", _AREAS), search_order=1
)
DSCI = _dataset(
    "dsci",
    "Drought Severity and Coverage Index",
    (Measure("dsci", "index", column="DSCI", title="Sum of the cumulative shares D0 to D4, 0 to 500"),),
)
