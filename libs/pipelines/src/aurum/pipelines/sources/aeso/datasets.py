"""Datasets of Alberta's AESO: the current supply and demand report."""

from __future__ import annotations

from datetime import timedelta

from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Evidence, PublicationRule
from aurum.pipelines.source import Dataset, Measure

ZONE = "America/Edmonton"

SUMMARY = {
    "Alberta Total Net Generation": "generation",
    "Net Actual Interchange": "net_interchange",
    "Alberta Internal Load (AIL)": "load",
    "Net-To-Grid Generation": "generation_net_to_grid",
    "Contingency Reserve Required": "reserve_required",
    "Dispatched Contingency Reserve (DCR)": "reserve_dispatched",
    "Dispatched Contingency Reserve -Gen": "reserve_dispatched_generation",
    "Dispatched Contingency Reserve -Other": "reserve_dispatched_other",
    "LSSi Armed Dispatch": "lssi_armed",
    "LSSi Offered Volume": "lssi_offered",
    "Long Lead Time Volume": "long_lead_time_volume",
}
"""Lines of the summary and their measures."""

FUELS = {
    "COAL": "coal",
    "GAS": "gas",
    "DUAL FUEL": "dual_fuel",
    "COGENERATION": "cogeneration",
    "COMBINED CYCLE": "combined_cycle",
    "SIMPLE CYCLE": "simple_cycle",
    "GAS FIRED STEAM": "gas_fired_steam",
    "HYDRO": "hydro",
    "WIND": "wind",
    "SOLAR": "solar",
    "ENERGY STORAGE": "energy_storage",
    "BIOMASS AND OTHER": "biomass_and_other",
    "OTHER": "other",
}
"""Fuel groups of all years and the word of their measures: gas is one group in 2017, several by 2026."""

COLUMNS = {"MC": "capability", "TNG": "generation", "DCR": "reserve"}
"""Columns of fuel groups and assets: maximum capability, total net generation, dispatched contingency reserve."""

KINDS = {"capability": Kind.CAPACITY, "generation": Kind.GENERATION, "reserve": Kind.RESERVE}
"""Kind by the measure of a column."""

_SUMMARY_KINDS = {
    "generation": Kind.GENERATION,
    "generation_net_to_grid": Kind.GENERATION,
    "net_interchange": Kind.FLOW,
    "load": Kind.LOAD,
    "long_lead_time_volume": Kind.CAPACITY,
}
"""Kind of the measures of the summary; that of the others is reserve."""

CURRENT_SUPPLY_DEMAND = Dataset(
    source="aeso",
    name="current_supply_demand",
    title="Current supply and demand",
    zone=ZONE,
    market="AESO",
    market_run=MarketRun.REAL_TIME,
    frequency=Frequency.IRREGULAR,
    measures=(
        *(Measure(name, "MW", title=label, kind=_SUMMARY_KINDS.get(name, Kind.RESERVE)) for label, name in SUMMARY.items()),
        *(
            Measure(f"{name}_{word}", "MW", title=f"{fuel.title()}: {column}", kind=KINDS[name], fuel=fuel)
            for fuel, word in FUELS.items()
            for column, name in COLUMNS.items()
        ),
        Measure("capability", "MW", column="MC", title="Maximum capability", kind=Kind.CAPACITY),
        Measure("reserve", "MW", column="DCR", title="Dispatched contingency reserve", kind=Kind.RESERVE),
        Measure("flow", "MW", title="Flow on an intertie, out of Alberta positive", kind=Kind.FLOW),
    ),
    reference="AESO Current Supply Demand Report (CSDReportServlet, contentType=csv)",
    freshness_hours=1,
    rules=(
        PublicationRule(
            AfterInterval(timedelta()),
            "The report's own line 'Last Update', which is the moment of its numbers",
            Evidence.OBSERVED,
        ),
    ),
)
