"""US Energy Information Administration."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.eia import api, navigator, storage, urls, wholesale

__all__ = ["SOURCE"]

SOURCE = Source(
    name="eia",
    title="US Energy Information Administration",
    homepage="https://www.eia.gov",
    formats=(
        api.FORMAT,
        navigator.WORKBOOK,
        navigator.SHEET_CSV,
        navigator.CHART_CSV,
        storage.WORKBOOK,
        storage.FLAT,
        wholesale.FORMAT,
    ),
    urls={
        "navigator_daily": urls.henry_hub_daily,
        "navigator_weekly": urls.henry_hub_weekly,
        "navigator_monthly": urls.henry_hub_monthly,
        "gas_storage_weekly": urls.gas_storage,
        "wholesale_hubs": urls.wholesale,
    },
    terms="US government publication: public domain, EIA named as the source; hub prices courtesy of ICE.",
)
