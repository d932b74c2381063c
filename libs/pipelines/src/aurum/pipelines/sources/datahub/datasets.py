"""The open data sets of datahub.io (PDDL) that are read: prices of EIA, consumer prices of the BLS, rates of the Fed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta

from aurum.core.calendars import BusinessDays
from aurum.core.catalog import Kind
from aurum.core.frequency import Frequency
from aurum.core.publication import OnDay, OnMonth, PublicationRule
from aurum.pipelines.source import Dataset, Measure, Plausible

ZONE = "America/New_York"
"""Time zone of the agencies that publish the original data."""

CURRENCIES: Mapping[str, str] = {
    "Australia": "AUD",
    "Austria": "ATS",
    "Belgium": "BEF",
    "Brazil": "BRL",
    "Canada": "CAD",
    "China": "CNY",
    "Denmark": "DKK",
    "Euro": "EUR",
    "Finland": "FIM",
    "France": "FRF",
    "Germany": "DEM",
    "Greece": "GRD",
    "Hong Kong": "HKD",
    "India": "INR",
    "Ireland": "IEP",
    "Italy": "ITL",
    "Japan": "JPY",
    "Malaysia": "MYR",
    "Mexico": "MXN",
    "Netherlands": "NLG",
    "New Zealand": "NZD",
    "Norway": "NOK",
    "Portugal": "PTE",
    "Singapore": "SGD",
    "South Africa": "ZAR",
    "South Korea": "KRW",
    "Spain": "ESP",
    "Sri Lanka": "LKR",
    "Sweden": "SEK",
    "Switzerland": "CHF",
    "Taiwan": "TWD",
    "Thailand": "THB",
    "United Kingdom": "GBP",
}
"""Currency by name of country. Countries of the euro end with their own currency, in 2001."""

BOLIVARS = ((date(2018, 8, 20), "VEF"), (date(2021, 11, 1), "VES"), (date.max, "VED"))
"""Venezuela's currencies, each to the day before its date. The file switches from one to the next without a note."""


def _dataset(
    name: str,
    title: str,
    frequency: Frequency,
    measures: tuple[Measure, ...],
    reference: str,
    rule: PublicationRule,
    kind: Kind,
    *,
    since: int,
    business_days: BusinessDays | None = None,
) -> Dataset:
    return Dataset(
        source="datahub",
        name=name,
        search_order=1,
        title=title,
        zone=ZONE,
        frequency=frequency,
        measures=measures,
        rules=(rule,),
        reference=f"datahub.io, {reference}",
        plausible=Plausible(date(since, 1, 1), timedelta(days=45)),
        business_days=business_days,
        kind=kind,
    )


_WEDNESDAY = 3
_DAILY = PublicationRule(
    OnDay(days=30, at=time(18), zone=ZONE, weekday=_WEDNESDAY),
    "EIA releases spot prices on Wednesdays; the copy follows with about a month's delay. A guess",
)
_MONTHLY = PublicationRule(
    OnMonth(months=2, day=15, at=time(12), zone=ZONE),
    "The agencies publish a month in the middle of the next one; the copy follows with about a month's delay. A guess",
)

_GAS = Measure("price", "USD/MMBtu", column="Price", currency="USD", title="Henry Hub spot price")
_OIL = Measure("price", "USD/bbl", column="Price", currency="USD", title="Spot price")

GAS_DAILY = _dataset(
    "natural_gas_daily",
    "Henry Hub, daily",
    Frequency.DAY,
    (_GAS,),
    "core/natural-gas",
    _DAILY,
    Kind.FUEL_PRICE,
    since=1990,
    business_days=BusinessDays.NYMEX,
)
GAS_MONTHLY = _dataset(
    "natural_gas_monthly",
    "Henry Hub, monthly",
    Frequency.MONTH,
    (_GAS,),
    "core/natural-gas",
    _MONTHLY,
    Kind.FUEL_PRICE,
    since=1990,
)
OIL_DAILY = _dataset(
    "oil_daily",
    "Brent and WTI, daily",
    Frequency.DAY,
    (_OIL,),
    "core/oil-prices",
    _DAILY,
    Kind.FUEL_PRICE,
    since=1980,
    business_days=BusinessDays.NYMEX,
)
CPI = _dataset(
    "cpi_us",
    "US consumer prices, all urban consumers",
    Frequency.MONTH,
    (
        Measure("index", "index", column="Index", title="Index, 1982-84 = 100"),
        Measure("inflation", "percent", column="Inflation", title="Change on the month before"),
    ),
    "core/cpi-us",
    _MONTHLY,
    Kind.MACRO,
    since=1900,
)
EXCHANGE_RATES = _dataset(
    "exchange_rates_monthly",
    "Exchange rates against the US dollar, monthly means",
    Frequency.MONTH,
    (
        Measure("rate", "EUR/USD", column="Exchange rate", title="Units of the currency for one US dollar"),
        *(
            Measure(
                f"rate_{code.lower()}", f"{code}/USD", column="Exchange rate", currency=code, title="Bolivars for one US dollar"
            )
            for _, code in BOLIVARS
        ),
    ),
    "core/exchange-rates",
    _MONTHLY,
    Kind.FX,
    since=1970,
)
