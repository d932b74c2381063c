"""Datasets of Alberta's AESO: the current supply and demand report."""

from __future__ import annotations

from aurum.core.frequency import Frequency
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

_TITLES = {measure: label for label, measure in SUMMARY.items()} | {
    f"{measure}_{word}": f"{fuel.title()}: {column}" for fuel, word in FUELS.items() for column, measure in COLUMNS.items()
}

CURRENT_SUPPLY_DEMAND = Dataset(
    source="aeso",
    name="current_supply_demand",
    title="Current supply and demand",
    zone=ZONE,
    market="AESO",
    frequency=Frequency.IRREGULAR,
    measures=(
        *(Measure(name, "MW", title=title) for name, title in _TITLES.items()),
        Measure("capability", "MW", column="MC", title="Maximum capability"),
        Measure("reserve", "MW", column="DCR", title="Dispatched contingency reserve"),
        Measure("flow", "MW", title="Flow on an intertie, out of Alberta positive"),
    ),
    reference="AESO Current Supply Demand Report (CSDReportServlet, contentType=csv)",
    freshness_hours=1,
)
