"""Datasets of the US Energy Information Administration.

Series of the web service and of the data navigator come at several steps under one id (RNGWHHD is daily, weekly, monthly and
yearly), so the step is in the name of the dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta

import polars as pl

from aurum.core.calendars import BusinessDays
from aurum.core.frequency import Frequency
from aurum.pipelines.source import Dataset, Measure, Plausible, PublicationSchedule
from aurum.pipelines.sources.eia.days import ZONE

_STEPS = {
    "daily": Frequency.DAY,
    "weekly": Frequency.WEEK,
    "monthly": Frequency.MONTH,
    "quarterly": Frequency.QUARTER,
    "annual": Frequency.YEAR,
}

# Daily and weekly series begin in the 1980s, monthly ones in 1920, annual ones with oil production of 1859.
_SINCE = {
    "daily": date(1970, 1, 1),
    "weekly": date(1970, 1, 1),
    "monthly": date(1900, 1, 1),
    "quarterly": date(1900, 1, 1),
    "annual": date(1850, 1, 1),
}
# The Short-Term Energy Outlook is two years ahead, the Annual Energy Outlook goes to 2050.
_AHEAD = {
    "daily": timedelta(days=400),
    "weekly": timedelta(days=400),
    "monthly": timedelta(days=4 * 366),
    "quarterly": timedelta(days=4 * 366),
    "annual": timedelta(days=50 * 366),
}

NAVIGATOR: Mapping[str, Dataset] = {
    step: Dataset(
        source="eia",
        name=f"navigator_{step}",
        title=f"Data navigator history, {step}",
        zone=ZONE,
        frequency=_STEPS[step],
        measures=(
            Measure("price", "USD/MMBtu", currency="USD", title="A price; the unit is the series' own"),
            Measure("value", "Bcf", title="Anything but a price; the unit is the series' own"),
        ),
        reference="EIA, Data Navigator (dnav): downloads of history pages",
        plausible=Plausible(_SINCE[step]),
    )
    for step in ("daily", "weekly", "monthly", "annual")
}
"""By the frequency that the ``Contents`` sheet names, in lower case."""

API: Mapping[str, Dataset] = {
    step: Dataset(
        source="eia",
        name=f"api_{step}",
        title=f"Web service series, {step}",
        zone=ZONE,
        frequency=frequency,
        measures=(Measure("value", "MWh", column="value", title="The unit is the series' own"),),
        reference="EIA API v2 technical documentation",
        plausible=Plausible(_SINCE[step], _AHEAD[step]),
    )
    for step, frequency in _STEPS.items()
}
"""By the ``frequency`` an answer states."""


_BRENT = "RBRTE"


def business_days_of_prices() -> pl.Expr:
    """Return the calendar of each series of a ``PARSED_SERIES`` frame: daily prices are those of trading days."""
    calendar = pl.when(pl.col("location") == _BRENT).then(pl.lit(BusinessDays.ENGLAND)).otherwise(pl.lit(BusinessDays.NYMEX))
    return pl.when((pl.col("frequency") == Frequency.DAY) & pl.col("currency").is_not_null()).then(calendar.cast(pl.String))


def _grid(name: str, title: str, measures: tuple[Measure, ...]) -> Dataset:
    return Dataset(
        source="eia",
        name=name,
        title=title,
        zone="UTC",
        frequency=Frequency.HOUR,
        measures=measures,
        reference="EIA API v2 electricity/rto; EIA, About the Hourly Electric Grid Monitor (Form EIA-930)",
        freshness_hours=72,
    )


FUELS: Mapping[str, str] = {
    "BAT": "battery",
    "COL": "coal",
    "GEO": "geothermal",
    "NG": "natural_gas",
    "NUC": "nuclear",
    "OES": "other_storage",
    "OIL": "oil",
    "OTH": "other",
    "PS": "hydro_pumped_storage",
    "SNB": "solar_with_battery",
    "SUN": "solar",
    "UES": "unknown_storage",
    "UNK": "unknown",
    "WAT": "hydro",
    "WNB": "wind_with_battery",
    "WND": "wind",
}
"""Word in the measure by ``fueltype`` of electricity/rto/fuel-type-data."""

REGION_TYPES: Mapping[str, str] = {"D": "load", "DF": "load_forecast", "NG": "generation", "TI": "net_interchange"}
"""Measure by ``type`` of electricity/rto/region-data."""

RTO_REGION = _grid(
    "rto_region",
    "Hourly load, load forecast, net generation and interchange by balancing authority",
    tuple(Measure(name, "MWh", column="value") for name in REGION_TYPES.values()),
)
RTO_SUBREGION = _grid("rto_subregion", "Hourly load by subregion", (Measure("load", "MWh", column="value"),))
RTO_FUEL = _grid(
    "rto_fuel",
    "Hourly net generation by fuel and balancing authority",
    tuple(Measure(f"generation_{word}", "MWh", column="value") for word in FUELS.values()),
)
RTO_INTERCHANGE = _grid(
    "rto_interchange",
    "Hourly interchange between neighbouring balancing authorities",
    (Measure("flow", "MWh", column="value", title="From the first area to the second; negative: the other way"),),
)

STORAGE = Dataset(
    source="eia",
    name="gas_storage_weekly",
    title="Working gas in underground storage",
    zone=ZONE,
    frequency=Frequency.WEEK,
    measures=tuple(
        Measure(f"{kind}{part}", "Bcf") for kind in ("storage", "storage_change") for part in ("", "_salt", "_nonsalt")
    ),
    # The report is released on Thursdays at 10:30, six days after the Friday the week ends on.
    schedule=PublicationSchedule(days=6, at=time(10, 30), zone=ZONE),
    reference="EIA, Weekly Natural Gas Storage Report (Form EIA-912)",
    plausible=Plausible(date(1970, 1, 1)),
    freshness_hours=24 * 14,
)

WHOLESALE = Dataset(
    source="eia",
    name="wholesale_hubs",
    title="Daily wholesale power at hubs, next-day peak",
    zone=ZONE,
    frequency=Frequency.DAY,
    measures=(
        Measure("price", "USD/MWh", column="Wtd avg price $/MWh", currency="USD", title="Volume-weighted mean of trades"),
        Measure("price_high", "USD/MWh", column="High price $/MWh", currency="USD"),
        Measure("price_low", "USD/MWh", column="Low price $/MWh", currency="USD"),
        Measure("price_change", "USD/MWh", column="Change", currency="USD", title="Against the hub's trading day before"),
        Measure("volume", "MWh", column="Daily volume MWh"),
        Measure("trades", "index", column="Number of trades", title="Number of trades"),
        Measure("counterparties", "index", column="Number of counterparties", title="Number of companies that traded"),
    ),
    reference="EIA, Wholesale Electricity and Natural Gas Market Data (prices of ICE)",
    business_days=BusinessDays.NERC,
)
