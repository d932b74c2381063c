"""Datasets of the ENTSO-E Transparency Platform.

Every measure ends in the resolution of its points, ``price_15min``, ``load_60min``: areas change from hours to quarter
hours, one answer can hold both for one day, and a series of mixed steps has no mean. An auction other than the coupled
one (``classificationSequence`` above 1) and a currency other than the euro are named too: ``price_15min_seq2``,
``price_60min_gbp``. The time zone of a series follows its area (``codes.AREAS``); that of a dataset is the trading day's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import time, timedelta

from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Evidence, OnDay, PublicationRule
from aurum.pipelines.source import Dataset, Measure
from aurum.pipelines.sources.entsoe.codes import FUELS, TRADING_DAY

STEPS: Mapping[str, Frequency] = {
    "5min": Frequency.MIN_5,
    "15min": Frequency.MIN_15,
    "30min": Frequency.MIN_30,
    "60min": Frequency.HOUR,
}
"""Frequency by the last word of a measure."""

_GUIDE = "ENTSO-E Transparency Platform RESTful API user guide"
_LAW = "Regulation (EU) No 543/2013, article"


def _power(name: str, kind: Kind | None = None, fuel: str = "") -> tuple[Measure, ...]:
    """Return the measures of a name, one for each step."""
    return tuple(Measure(f"{name}_{step}", "MW", column="quantity", kind=kind, fuel=fuel) for step in STEPS)


def _by_fuel(name: str, codes: Iterable[str], kind: Kind | None = None) -> tuple[Measure, ...]:
    measures = (measure for code in codes for measure in _power(f"{name}_{FUELS[code]}", kind, code))
    return tuple(replace(measure, is_detail=name == "consumption") for measure in measures)


def _prices() -> tuple[Measure, ...]:
    names = [f"price_{step}{sequence}" for sequence in ("", "_seq2", "_seq3") for step in STEPS]
    return tuple(Measure(name, "EUR/MWh", column="price.amount", currency="EUR") for name in names)


def _dataset(
    name: str,
    title: str,
    measures: tuple[Measure, ...],
    reference: str,
    hours: float,
    rules: tuple[PublicationRule, ...],
    kind: Kind,
    run: MarketRun,
    *,
    is_forecast: bool = False,
) -> Dataset:
    return Dataset(
        source="entsoe",
        name=name,
        title=title,
        zone=TRADING_DAY,
        market="ENTSOE",
        frequency=Frequency.HOUR,
        measures=measures,
        rules=rules,
        is_forecast=is_forecast,
        kind=kind,
        market_run=run,
        reference=f"{_GUIDE}, {reference}",
        freshness_hours=hours,
    )


DAY_AHEAD_PRICES = _dataset(
    "day_ahead_prices",
    "Day-ahead prices by bidding zone",
    _prices(),
    "12.1.D, document type A44, contract type A01",
    36,
    (
        PublicationRule(
            OnDay(days=-1, at=time(13), zone=TRADING_DAY),
            f"{_LAW} 12(1)(d): no later than one hour after gate closure, which is at noon; coupled results come from 12:57",
            Evidence.DOCUMENTED,
        ),
    ),
    Kind.PRICE,
    MarketRun.DAY_AHEAD,
)
INTRADAY_PRICES = _dataset(
    "intraday_auction_prices",
    "Prices of intraday auctions by bidding zone",
    _prices(),
    "12.1.D, document type A44, contract type A07",
    36,
    tuple(
        PublicationRule(
            OnDay(days=days, at=at, zone=TRADING_DAY),
            f"Intraday auction {number} is held 20 minutes before, since 13 June 2024. The minutes are a guess",
            measures=tuple(f"price_{step}{sequence}" for step in STEPS),
        )
        for number, sequence, days, at in (
            (1, "", -1, time(15, 20)),
            (2, "_seq2", -1, time(22, 20)),
            (3, "_seq3", 0, time(10, 20)),
        )
    ),
    Kind.PRICE,
    MarketRun.INTRADAY_AUCTION,
)
PRICES = (DAY_AHEAD_PRICES, INTRADAY_PRICES)
"""Datasets whose days are trading days; those of all others are civil days of the area."""
LOAD = _dataset(
    "load",
    "Actual total load",
    _power("load"),
    "6.1.A, document type A65, process type A16",
    6,
    (
        PublicationRule(
            AfterInterval(timedelta(hours=1)),
            f"{_LAW} 6(2)(a): no later than one hour after the operating period",
            Evidence.DOCUMENTED,
        ),
    ),
    Kind.LOAD,
    MarketRun.REAL_TIME,
)
LOAD_FORECAST = _dataset(
    "load_forecast",
    "Day-ahead total load forecast",
    _power("load_forecast"),
    "6.1.B, A65, process type A01",
    36,
    (
        PublicationRule(
            OnDay(days=-1, at=time(10), zone=TRADING_DAY),
            f"{_LAW} 6(2)(b): no later than two hours before the gate closure of the day-ahead market, which is at noon",
            Evidence.DOCUMENTED,
        ),
    ),
    Kind.LOAD_FORECAST,
    MarketRun.FORECAST,
    is_forecast=True,
)
GENERATION = _dataset(
    "generation",
    "Actual generation by fuel, and consumption of storage",
    (*_by_fuel("generation", FUELS), *_by_fuel("consumption", FUELS, Kind.LOAD)),
    "16.1.B&C, document type A75, process type A16",
    6,
    (
        PublicationRule(
            AfterInterval(timedelta(hours=1)),
            f"{_LAW} 16(2)(b): no later than one hour after the operational period; revised for days",
            Evidence.DOCUMENTED,
        ),
    ),
    Kind.GENERATION,
    MarketRun.REAL_TIME,
)


def _wind_solar(name: str, title: str, process: str, rule: PublicationRule) -> Dataset:
    return _dataset(
        name,
        title,
        _by_fuel("generation_forecast", ("B16", "B18", "B19")),
        f"14.1.D, document type A69, process type {process}",
        36,
        (rule,),
        Kind.GENERATION_FORECAST,
        MarketRun.FORECAST,
        is_forecast=True,
    )


_EVENING_BEFORE = OnDay(days=-1, at=time(18), zone=TRADING_DAY)
WIND_SOLAR_FORECAST = _wind_solar(
    "wind_solar_forecast",
    "Day-ahead forecast of wind and solar generation",
    "A01",
    PublicationRule(
        _EVENING_BEFORE, f"{_LAW} 14(2)(d): no later than 18:00 Brussels time, one day before delivery", Evidence.DOCUMENTED
    ),
)
WIND_SOLAR_FORECAST_INTRADAY = _wind_solar(
    "wind_solar_forecast_intraday",
    "Intraday forecast of wind and solar generation",
    "A40",
    PublicationRule(
        OnDay(days=0, at=time(8), zone=TRADING_DAY),
        f"{_LAW} 14(2)(d): at least one update at 8:00 Brussels time on the day of delivery",
        Evidence.DOCUMENTED,
    ),
)
WIND_SOLAR_FORECAST_CURRENT = _wind_solar(
    "wind_solar_forecast_current",
    "Current forecast of wind and solar generation",
    "A18",
    PublicationRule(_EVENING_BEFORE, "The current forecast is that of the evening before until the first update. A guess"),
)
