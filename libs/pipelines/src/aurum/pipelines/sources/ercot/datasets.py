"""Datasets of ERCOT: settlement point prices, day-ahead and real-time.

The measure is ``spp``, not ``lmp``: the price of a hub or load zone is a weighted mean of bus LMPs, and the real-time one
also carries reserve price adders (Nodal Protocols 4.6.1, 6.6.1), so nothing here adds up from energy, congestion and loss.
"""

from __future__ import annotations

from datetime import time, timedelta

from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Evidence, OnDay, PublicationRule
from aurum.pipelines.source import Dataset, Measure

ZONE = "America/Chicago"

DAM_SPP = Dataset(
    source="ercot",
    name="dam_spp",
    kind=Kind.PRICE,
    market_run=MarketRun.DAY_AHEAD,
    title="Day-ahead settlement point prices",
    zone=ZONE,
    market="ERCOT",
    frequency=Frequency.HOUR,
    measures=(Measure("spp", "USD/MWh", column="SettlementPointPrice", currency="USD", title="Settlement point price"),),
    rules=(
        PublicationRule(
            OnDay(days=-1, at=time(13, 30), zone=ZONE),
            "ERCOT Nodal Protocols 4.5.3: results are posted by 13:30 in the day-ahead; the product list shows 12:32:34",
            Evidence.DOCUMENTED,
        ),
    ),
    reference="ERCOT NP4-190-CD (report 12331, daily) and NP4-180-ER (report 13060, yearly workbook)",
    freshness_hours=36,
)

RTM_SPP = Dataset(
    source="ercot",
    name="rtm_spp",
    kind=Kind.PRICE,
    market_run=MarketRun.REAL_TIME,
    title="Real-time 15-minute settlement point prices",
    zone=ZONE,
    market="ERCOT",
    frequency=Frequency.MIN_15,
    measures=(
        Measure("spp", "USD/MWh", column="SettlementPointPrice", currency="USD", title="Settlement point price"),
        Measure(
            "spp_energy_weighted",
            "USD/MWh",
            column="SettlementPointPrice",
            currency="USD",
            title="Energy-weighted load zone price (types LZEW and LZ_DCEW)",
        ),
    ),
    reference="ERCOT NP6-905-CD (report 12301) and NP6-785-ER (report 13061, yearly workbook)",
    freshness_hours=2,
    rules=(
        PublicationRule(
            AfterInterval(timedelta(minutes=2)),
            "ERCOT product list: NP6-905-CD is posted every 15 minutes, last at 18:17:01",
            Evidence.OBSERVED,
        ),
    ),
)
