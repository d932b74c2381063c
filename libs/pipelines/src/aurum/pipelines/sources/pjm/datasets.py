"""PJM's datasets, named as their Data Miner 2 feeds."""

from __future__ import annotations

from datetime import time, timedelta

from aurum.core.calendars import BusinessDays
from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Evidence, OnDay, PublicationRule
from aurum.pipelines.price_sums import PriceSum
from aurum.pipelines.source import Dataset, IdRule, Measure

ZONE = "America/New_York"
"""Eastern Prevailing Time, "EPT" in PJM's files."""

HUBS = {
    "PJM-RTO": "1",
    "AEP GEN HUB": "34497125",
    "AEP-DAYTON HUB": "34497127",
    "ATSI GEN HUB": "116013751",
    "CHICAGO GEN HUB": "33092311",
    "CHICAGO HUB": "33092313",
    "DOMINION HUB": "35010337",
    "EASTERN HUB": "51217",
    "N ILLINOIS HUB": "33092315",
    "NEW JERSEY HUB": "4669664",
    "OHIO HUB": "34497151",
    "WEST INT HUB": "51287",
    "WESTERN HUB": "51288",
}
"""Pricing node of the hubs and of the whole region, by name. Source: exports of ``da_hrl_lmps`` of 2025."""


def _feed(name: str) -> str:
    return f"PJM Data Miner 2, https://dataminer2.pjm.com/feed/{name}/definition"


def _prices(run: str) -> tuple[Measure, ...]:
    return (
        Measure("lmp", "USD/MWh", f"total_lmp_{run}", "USD", "Locational marginal price"),
        Measure("energy", "USD/MWh", f"system_energy_price_{run}", "USD", "System energy price"),
        Measure("congestion", "USD/MWh", f"congestion_price_{run}", "USD", "Congestion component"),
        Measure("loss", "USD/MWh", f"marginal_loss_price_{run}", "USD", "Marginal loss component"),
    )


_SUMS = (PriceSum(tolerance=0.02),)
"""Older files round all four prices to cents. Largest error in files of 2025: none day-ahead, 0.005 at real-time hubs."""

_VERIFIED = PublicationRule(
    OnDay(days=1, at=time(18), zone=ZONE, business_days=BusinessDays.NERC),
    "PJM verifies real-time prices on the next business day; of another feed, rt_marginal_value, it says that the previous "
    "day is published daily on business days. The hour is a guess",
)
_GENERATION = PublicationRule(
    OnDay(days=1, at=time(7, 30), zone=ZONE),
    "PJM's daily feeds hold the day before in the morning; revised later. The hour is a guess",
)

DA_HRL_LMPS = Dataset(
    source="pjm",
    name="da_hrl_lmps",
    kind=Kind.PRICE,
    market_run=MarketRun.DAY_AHEAD,
    title="Day-ahead hourly LMP",
    zone=ZONE,
    frequency=Frequency.HOUR,
    measures=_prices("da"),
    price_sums=_SUMS,
    market="PJM",
    rules=(
        PublicationRule(
            OnDay(days=-1, at=time(13, 30), zone=ZONE),
            "PJM Manual 11, section 2: day-ahead results are posted at 13:30 EPT on the day before",
            Evidence.DOCUMENTED,
        ),
    ),
    reference=_feed("da_hrl_lmps"),
    freshness_hours=36,
    ids=IdRule.NUMBER,
)

RT_HRL_LMPS = Dataset(
    source="pjm",
    name="rt_hrl_lmps",
    kind=Kind.PRICE,
    market_run=MarketRun.REAL_TIME,
    title="Real-time hourly LMP, verified",
    zone=ZONE,
    frequency=Frequency.HOUR,
    measures=_prices("rt"),
    price_sums=_SUMS,
    market="PJM",
    rules=(_VERIFIED,),
    reference=_feed("rt_hrl_lmps"),
    # Verified prices follow on the next business day, so a long weekend has none.
    freshness_hours=120,
    ids=IdRule.NUMBER,
)

RT_FIVEMIN_HRL_LMPS = Dataset(
    source="pjm",
    name="rt_fivemin_hrl_lmps",
    search_order=1,
    kind=Kind.PRICE,
    market_run=MarketRun.REAL_TIME,
    title="Real-time five-minute LMP, verified",
    zone=ZONE,
    frequency=Frequency.MIN_5,
    measures=_prices("rt"),
    price_sums=_SUMS,
    market="PJM",
    rules=(_VERIFIED,),
    reference=_feed("rt_fivemin_hrl_lmps"),
    freshness_hours=120,
    ids=IdRule.NUMBER,
)

HRL_LOAD_METERED = Dataset(
    source="pjm",
    name="hrl_load_metered",
    kind=Kind.LOAD,
    market_run=MarketRun.SETTLEMENT,
    title="Metered hourly load by load area",
    zone=ZONE,
    frequency=Frequency.HOUR,
    measures=(Measure("load", "MW", "mw", title="Metered load, mean of the hour"),),
    market="PJM",
    rules=(
        PublicationRule(
            OnDay(days=1, at=time(7, 30), zone=ZONE),
            "PJM posts preliminary meter data of the day before in the morning and verified ones about 90 days later. The hour "
            "is a guess",
        ),
    ),
    reference=_feed("hrl_load_metered"),
    freshness_hours=120,
)

INST_LOAD = Dataset(
    source="pjm",
    name="inst_load",
    kind=Kind.LOAD,
    market_run=MarketRun.REAL_TIME,
    title="Instantaneous load by area, sampled every five minutes",
    zone=ZONE,
    frequency=Frequency.MIN_5,
    measures=(Measure("load", "MW", "instantaneous_load", title="Load at the sample"),),
    market="PJM",
    rules=(
        PublicationRule(
            AfterInterval(timedelta(minutes=1), from_start=True),
            "PJM's feed shows a sample within a minute. The minute is a guess",
        ),
    ),
    reference=_feed("inst_load"),
    freshness_hours=6,
)

WIND_GEN = Dataset(
    source="pjm",
    name="wind_gen",
    kind=Kind.GENERATION,
    market_run=MarketRun.REAL_TIME,
    title="Hourly wind generation by area",
    zone=ZONE,
    frequency=Frequency.HOUR,
    measures=(Measure("generation_wind", "MW", "wind_generation_mw", title="Wind generation", fuel="Wind"),),
    market="PJM",
    rules=(_GENERATION,),
    reference=_feed("wind_gen"),
    freshness_hours=72,
)

SOLAR_GEN = Dataset(
    source="pjm",
    name="solar_gen",
    kind=Kind.GENERATION,
    market_run=MarketRun.REAL_TIME,
    title="Hourly solar generation by area",
    zone=ZONE,
    frequency=Frequency.HOUR,
    measures=(
        Measure(
            "generation_solar",
            "MW",
            "solar_generation_mw",
            title="Solar generation; at night the plants' own use, negative",
            fuel="Solar",
        ),
    ),
    market="PJM",
    rules=(_GENERATION,),
    reference=_feed("solar_gen"),
    freshness_hours=72,
)

PJME_HOURLY = Dataset(
    source="pjm",
    name="pjme_hourly",
    search_order=1,
    kind=Kind.LOAD,
    market_run=MarketRun.SETTLEMENT,
    title="Hourly load of PJM East, 2002 to 2018, as re-published on Kaggle",
    zone=ZONE,
    frequency=Frequency.HOUR,
    measures=(Measure("load", "MW", "PJME_MW", title="Metered load, mean of the hour"),),
    market="PJM",
    reference="Kaggle data set 'Hourly Energy Consumption', file PJME_hourly.csv",
)
