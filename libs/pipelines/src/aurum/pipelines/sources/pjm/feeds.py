"""Recognises Data Miner 2 exports: by header, by the feed in the name, and by the step of the rows.

Data Miner names an export after its feed (``rt_hrl_lmps.csv``). Verified hourly and five-minute real-time prices have one
header; the preliminary feeds (``rt_unverified_hrl_lmps``, ``hrl_load_prelim``) and the forecasts have others.
"""

from __future__ import annotations

from aurum.core.frequency import Frequency
from aurum.pipelines.sampling import header_of, is_within_hours, minutes_apart, named_words, sample_of
from aurum.pipelines.source import Dataset, SourceFile
from aurum.pipelines.sources.pjm.data_miner import UTC_COLUMN

_FEEDS = (
    "da_hrl_lmps",
    "rt_hrl_lmps",
    "rt_fivemin_hrl_lmps",
    "rt_unverified_hrl_lmps",
    "rt_unverified_fivemin_lmps",
    "rt_da_monthly_lmps",
    "rt_fivemin_mnt_lmps",
    "rt_hrl_lmps_unverified",
    "hrl_load_metered",
    "hrl_load_prelim",
    "hrl_load_estimated",
    "inst_load",
    "load_frcstd_7_day",
    "load_frcstd_hist",
    "very_short_load_frcst",
    "wind_gen",
    "solar_gen",
    "gen_by_fuel",
    "hourly_wind_power_forecast",
    "hourly_solar_power_forecast",
    "five_min_wind_power_forecast",
    "five_min_solar_power_forecast",
    "five_min_solar_generation",
    "da_marginal_value",
    "rt_marginal_value",
)
"""Feeds of prices, load and generation. Source: the list of feeds at dataminer2.pjm.com."""


class Feed:
    """One feed with the columns that its exports have."""

    def __init__(self, dataset: Dataset, *columns: str, twin: str = "") -> None:
        """``twin``: the feed that has the same columns at another step."""
        self._dataset = dataset
        self.columns = (UTC_COLUMN, *columns)
        self._needed = set(self.columns)
        self._twin = twin

    def recognise(self, document: SourceFile) -> bool:
        return self._fits(document) and not self._problem(document)

    def explain(self, document: SourceFile) -> str:
        return self._problem(document) if self._fits(document) else ""

    def _fits(self, document: SourceFile) -> bool:
        """Return whether the columns are this feed's and no name says that the file is of the twin."""
        if not self._needed <= set(header_of(document)):
            return False
        named = named_words(document.name, _FEEDS)
        if self._twin and self._dataset.name not in named:
            # Of two feeds with one header, the one that is named explains a file, and the hourly one where none is.
            return self._twin not in named and self._is_own_step(document) is not False
        return True

    def _is_own_step(self, document: SourceFile) -> bool | None:
        """Return whether the rows have this feed's step; None where the stamps do not tell."""
        stamps = set(sample_of(document).column(UTC_COLUMN))
        hourly = self._dataset.frequency is Frequency.HOUR
        within = is_within_hours(stamps)
        if within is None or (not within and len(stamps) < 2):
            return None
        return within is not hourly

    def _problem(self, document: SourceFile) -> str:
        name = self._dataset.name
        named = named_words(document.name, _FEEDS)
        own = self._is_own_step(document)
        if named and name not in named:
            return f"{document.name!r} names PJM's feed {', '.join(named)}, and the columns are those of {name}"
        if own is False:
            return f"the columns are those of PJM's {name}, and the step is another: {self._difference(document)}"
        if self._twin and own is None and (not named or self._twin in named) and sample_of(document).rows:
            one, other = sorted((name, self._twin))
            return f"these rows could be of PJM's {one} or of {other}: name the file {one}.csv or {other}.csv"
        return ""

    def _difference(self, document: SourceFile) -> str:
        """Return how the step of rows differs from this feed's, in words."""
        if self._dataset.frequency is not Frequency.HOUR:
            return "spacing 1 hour, the dataset's is 5 minutes"
        minutes = minutes_apart(sample_of(document).column(UTC_COLUMN))
        if minutes is None:
            return "its hours do not begin on the hour"
        return f"spacing {minutes} minutes, the dataset's is 1 hour"
