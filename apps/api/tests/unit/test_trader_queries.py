"""The series that a trader finds first, over the places and measures of every registered dataset."""

from collections.abc import Mapping
from itertools import count

import pytest
from search_catalog import search_catalog

from aurum.common.clock import SystemClock
from aurum.core.series.model import Series
from aurum.pipelines.declarations import declare_catalog
from aurum.pipelines.registry import default_registry
from aurum.services.catalog import SearchAnswer, SearchQuestion, search_series
from aurum.storage.memory import MemoryStore

FIRST: Mapping[str, str] = {
    "new york city day ahead": "nyiso:damlbmp_zone:61761:lmp",
    "N.Y.C. lmp": "nyiso:damlbmp_zone:61761:lmp",
    "nyc": "nyiso:damlbmp_zone:61761:lmp",
    "NYC real time price": "nyiso:realtime_zone:61761:lmp",
    "zone j da lbmp": "nyiso:damlbmp_zone:61761:lmp",
    "zone j load": "nyiso:pal:61761:load",
    "long island day-ahead": "nyiso:damlbmp_zone:61762:lmp",
    "hudson valley rt": "nyiso:realtime_zone:61758:lmp",
    "nyc congestion": "nyiso:damlbmp_zone:61761:congestion",
    "albany day ahead": "nyiso:damlbmp_zone:61757:lmp",
    "nyiso load forecast": "nyiso:isolf:NYISO:load_forecast",
    "new york wind generation": "nyiso:rtfuelmix:NYISO:generation_wind",
    "ny nuclear": "nyiso:rtfuelmix:NYISO:generation_nuclear",
    "nyiso fuel mix gas": "nyiso:rtfuelmix:NYISO:generation_natural_gas",
    "central east flow": "nyiso:external_limits_flows:23330:flow",
    "hydro-québec day ahead": "nyiso:damlbmp_zone:61844:lmp",
    "buffalo da price": "nyiso:damlbmp_zone:61752:lmp",
    "western hub day ahead": "pjm:da_hrl_lmps:51288:lmp",
    "pjm west hub real time": "pjm:rt_hrl_lmps:51288:lmp",
    "PJM western hub": "pjm:da_hrl_lmps:51288:lmp",
    "ad hub dam": "pjm:da_hrl_lmps:34497127:lmp",
    "ni hub day ahead lmp": "pjm:da_hrl_lmps:33092315:lmp",
    "dominion hub loss": "pjm:da_hrl_lmps:35010337:loss",
    "pjm load": "pjm:hrl_load_metered:RTO:load",
    "pjm wind": "pjm:wind_gen:RTO:generation_wind",
    "pjm solar generation": "pjm:solar_gen:RTO:generation_solar",
    "mass hub": "isone:da_lmp:4000:lmp",
    "iso-ne internal hub day ahead": "isone:da_lmp:4000:lmp",
    "boston real time": "isone:rt_lmp_final:4008:lmp",
    "connecticut da lmp": "isone:da_lmp:4004:lmp",
    "np15 day ahead": "caiso:prc_lmp_dam:TH_NP15_GEN-APND:lmp",
    "sp15": "caiso:prc_lmp_dam:TH_SP15_GEN-APND:lmp",
    "caiso solar forecast": "caiso:sld_ren_fcst_dam:CA ISO-TAC:generation_forecast_solar",
    "california demand": "caiso:sld_fcst_actual:CA ISO-TAC:load",
    "pge dlap": "caiso:prc_lmp_dam:DLAP_PGAE-APND:lmp",
    "houston hub": "ercot:dam_spp:HB_HOUSTON:spp",
    "ercot north real time": "ercot:rtm_spp:HB_NORTH:spp",
    "lz_west day ahead": "ercot:dam_spp:LZ_WEST:spp",
    "texas panhandle price": "ercot:dam_spp:HB_PAN:spp",
    "austin energy": "ercot:dam_spp:LZ_AEN:spp",
    "indiana hub": "miso:da_expost_lmp:INDIANA.HUB:lmp",
    "minnesota hub lmp": "miso:da_expost_lmp:MINN.HUB:lmp",
    "spp south hub day ahead": "spp:da_lmp_sl:SPPSOUTH_HUB:lmp",
    "spp north rt": "spp:rtbm_lmp_sl:SPPNORTH_HUB:lmp",
    "alberta load": "aeso:current_supply_demand:AESO:load",
    "ontario nuclear": "ieso:gen_output_by_fuel_hourly:IESO:generation_nuclear",
    "mid c": "eia:wholesale_hubs:Mid C Peak:price",
    "palo verde": "eia:wholesale_hubs:Palo Verde Peak:price",
    "german wind": "entsoe:generation:10Y1001A1001A83F:generation_wind_offshore_15min",
    "de-lu day ahead 15 min": "entsoe:day_ahead_prices:10Y1001A1001A82H:price_15min",
    "french load": "entsoe:load:10YFR-RTE------C:load_15min",
    "se3 price": "entsoe:day_ahead_prices:10Y1001A1001A46L:price_15min",
    "henry hub": "eia:navigator_daily:RNGWHHD:price",
    "natgas": "eia:navigator_daily:RNGWHHD:price",
    "henry hub monthly": "fred:observations:MHHNGSP:value",
    "brent": "fred:observations:DCOILBRENTEU:value",
    "wti crude": "eia:navigator_daily:RWTC:price",
    "gas storage": "eia:gas_storage_weekly:R48:storage",
    "natural gas storage": "eia:gas_storage_weekly:R48:storage",
    "weekly gas storage": "eia:gas_storage_weekly:R48:storage",
    "oil stocks": "eia:api_weekly:WCESTUS1:value",
    "gasoline stocks": "eia:api_weekly:WGTSTUS1:value",
    "oil production": "eia:api_weekly:WCRFPUS2:value",
    "cpi": "fred:observations:CPIAUCNS:value",
    "real gdp": "fred:observations:GDP:value",
    "unemployment": "fred:observations:UNRATE:value",
    "10 year treasury": "fred:observations:DGS10:value",
    "fed funds": "fred:observations:DFF:value",
    "euro dollar": "ecb:reference_rates:EURUSD:rate",
    "yen": "ecb:reference_rates:EURJPY:rate",
    "drought": "drought_monitor:area_percent_cumulative:CONUS:area_d0",
    "dsci": "drought_monitor:dsci:CONUS:dsci",
    "central park tmax": "noaa:ghcn_daily:USW00094728:tmax",
    "indianapolis snow": "noaa:past_weather:USC00124260:snow",
    "spp": "spp:da_lmp_sl:SPPNORTH_HUB:lmp",
    "spp hub": "spp:da_lmp_sl:SPPNORTH_HUB:lmp",
    "ieso": "ieso:gen_output_by_fuel_hourly:IESO:generation_biofuel",
    "ontario": "ieso:gen_output_by_fuel_hourly:IESO:generation_biofuel",
    "wind forecast caiso": "caiso:sld_ren_fcst_dam:CA ISO-TAC:generation_forecast_wind",
    "forecast wind caiso": "caiso:sld_ren_fcst_dam:CA ISO-TAC:generation_forecast_wind",
    "demand california": "caiso:sld_fcst_actual:CA ISO-TAC:load",
    "miso hub": "miso:da_expost_lmp:INDIANA.HUB:lmp",
    "comed": "pjm:da_hrl_lmps:33092315:lmp",
    "coal": "aeso:current_supply_demand:AESO:generation_coal",
    "los angeles": "caiso:prc_lmp_dam:TH_SP15_GEN-APND:lmp",
    "san francisco": "caiso:prc_lmp_dam:TH_NP15_GEN-APND:lmp",
    "usd cad": "fred:observations:DEXCAUS:value",
    "cad usd": "fred:observations:DEXCAUS:value",
    "congestion nyc": "nyiso:damlbmp_zone:61761:congestion",
    # One word has no series with the others
    "zloty usd": "ecb:reference_rates:EURPLN:rate",
    "usd jpy": "datahub:exchange_rates_monthly:Japan:rate",
    "indianapolis wind": "noaa:past_weather:USC00124260:prcp",
    "drought california": "drought_monitor:area_percent_cumulative:CONUS:area_d0",
    "alberta pool price": "aeso:current_supply_demand:AESO:capability",
    "texas power": "ercot:dam_spp:HB_HUBAVG:spp",
    "houston nuclear price": "ercot:dam_spp:HB_HOUSTON:spp",
    # Misspelt
    "californa load": "caiso:sld_fcst_actual:CA ISO-TAC:load",
    "nwe york city": "nyiso:damlbmp_zone:61761:lmp",
    "new yrok city": "nyiso:damlbmp_zone:61761:lmp",
    "new yrok": "nyiso:isolf:NYISO:load_forecast",
    "new york city day ahed": "nyiso:damlbmp_zone:61761:lmp",
    "westren hub": "pjm:da_hrl_lmps:51288:lmp",
    "houstin hub": "ercot:dam_spp:HB_HOUSTON:spp",
    "nyc congeston": "nyiso:damlbmp_zone:61761:congestion",
    "henrry hub": "eia:navigator_daily:RNGWHHD:price",
    "nyc laod": "nyiso:pal:61761:load",
    "connecticutt lmp": "isone:da_lmp:4004:lmp",
    # Beginnings
    "minnes hub": "miso:da_expost_lmp:MINN.HUB:lmp",
    "long isl": "nyiso:damlbmp_zone:61762:lmp",
    "price manhat": "nyiso:damlbmp_zone:61761:lmp",
    "luxemb price": "entsoe:day_ahead_prices:10Y1001A1001A82H:price_15min",
}
"""The key that is found first, by query."""


@pytest.fixture(scope="module")
async def stocked() -> MemoryStore:
    store = MemoryStore(SystemClock())
    await declare_catalog(default_registry(), store.catalog_writer)
    numbers = count(1)
    store.state.series.update({str(spec.key): Series(next(numbers), spec, 1, None, None, None) for spec in search_catalog()})
    return store


async def searched(store: MemoryStore, text: str) -> SearchAnswer:
    return await search_series(store.catalog, store.search, SearchQuestion(text), limit=10)


@pytest.mark.parametrize("text", FIRST)
async def test_a_query_finds_its_series_first(stocked: MemoryStore, text: str) -> None:
    answer = await searched(stocked, text)
    assert str(answer.hits[0].series.key) == FIRST[text]


@pytest.mark.parametrize("text", ["eua", "carbon", "spark", "spread"])
async def test_a_word_of_the_trade_is_not_taken_for_another(stocked: MemoryStore, text: str) -> None:
    answer = await searched(stocked, text)
    assert [(reading.text, reading.how) for reading in answer.readings] == [(text, "unknown")]


async def test_a_component_of_a_price_is_only_that_component(stocked: MemoryStore) -> None:
    answer = await search_series(
        stocked.catalog, stocked.search, SearchQuestion("congestion nyc", facets=("measure",)), limit=10
    )
    assert answer.facets is not None
    assert set(answer.facets["measure"]) == {"congestion"}
    assert answer.total == answer.facets["measure"]["congestion"]
