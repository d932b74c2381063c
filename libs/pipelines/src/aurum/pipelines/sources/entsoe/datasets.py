"""Datasets of the ENTSO-E Transparency Platform.

Every measure ends in the resolution of its points, ``price_15min``, ``load_60min``: areas change from hours to quarter
hours, one answer can hold both for one day, and a series of mixed steps has no mean. An auction other than the coupled
one (``classificationSequence`` above 1) and a currency other than the euro are named too: ``price_15min_seq2``,
``price_60min_gbp``. The time zone of a series follows its area (``codes.AREAS``); that of a dataset is the trading day's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time

from aurum.core.frequency import Frequency
from aurum.pipelines.source import Dataset, Measure, PublicationSchedule
from aurum.pipelines.sources.entsoe.codes import FUELS, TRADING_DAY

STEPS: Mapping[str, Frequency] = {
    "5min": Frequency.MIN_5,
    "15min": Frequency.MIN_15,
    "30min": Frequency.MIN_30,
    "60min": Frequency.HOUR,
}
"""Frequency by the last word of a measure."""

_GUIDE = "ENTSO-E Transparency Platform RESTful API user guide"


def _power(names: Iterable[str]) -> tuple[Measure, ...]:
    return tuple(Measure(f"{name}_{step}", "MW", column="quantity") for name in names for step in STEPS)


def _prices() -> tuple[Measure, ...]:
    names = [f"price_{step}{sequence}" for sequence in ("", "_seq2", "_seq3") for step in STEPS]
    return tuple(Measure(name, "EUR/MWh", column="price.amount", currency="EUR") for name in names)


def _dataset(
    name: str,
    title: str,
    measures: tuple[Measure, ...],
    reference: str,
    hours: float,
    schedule: PublicationSchedule | None = None,
) -> Dataset:
    return Dataset(
        source="entsoe",
        name=name,
        title=title,
        zone=TRADING_DAY,
        market="ENTSOE",
        frequency=Frequency.HOUR,
        measures=measures,
        schedule=schedule,
        reference=f"{_GUIDE}, {reference}",
        freshness_hours=hours,
    )


DAY_AHEAD_PRICES = _dataset(
    "day_ahead_prices",
    "Day-ahead prices by bidding zone",
    _prices(),
    "12.1.D, document type A44, contract type A01",
    36,
    # SDAC results are published from 12:57 Central European time on the day before delivery.
    PublicationSchedule(days=-1, at=time(12, 57), zone="Europe/Brussels"),
)
INTRADAY_PRICES = _dataset(
    "intraday_auction_prices",
    "Prices of intraday auctions by bidding zone",
    _prices(),
    "12.1.D, document type A44, contract type A07",
    36,
)
PRICES = (DAY_AHEAD_PRICES, INTRADAY_PRICES)
"""Datasets whose days are trading days; those of all others are civil days of the area."""
LOAD = _dataset("load", "Actual total load", _power(["load"]), "6.1.A, document type A65, process type A16", 6)
LOAD_FORECAST = _dataset(
    "load_forecast", "Day-ahead total load forecast", _power(["load_forecast"]), "6.1.B, A65, process type A01", 36
)
GENERATION = _dataset(
    "generation",
    "Actual generation by fuel, and consumption of storage",
    _power(f"{kind}_{fuel}" for kind in ("generation", "consumption") for fuel in FUELS.values()),
    "16.1.B&C, document type A75, process type A16",
    6,
)


def _wind_solar(name: str, title: str, process: str) -> Dataset:
    fuels = ("solar", "wind_offshore", "wind_onshore")
    measures = _power(f"generation_forecast_{fuel}" for fuel in fuels)
    return _dataset(name, title, measures, f"14.1.D, document type A69, process type {process}", 36)


WIND_SOLAR_FORECAST = _wind_solar("wind_solar_forecast", "Day-ahead forecast of wind and solar generation", "A01")
WIND_SOLAR_FORECAST_INTRADAY = _wind_solar(
    "wind_solar_forecast_intraday", "Intraday forecast of wind and solar generation", "A40"
)
WIND_SOLAR_FORECAST_CURRENT = _wind_solar("wind_solar_forecast_current", "Current forecast of wind and solar generation", "A18")
