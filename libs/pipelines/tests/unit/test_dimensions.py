"""The market run of every measure; kinds, units and words for fuels are part of the contract of sources."""

import re

import pytest

from aurum.core.catalog import Fuel, Kind, MarketRun
from aurum.pipelines.registry import own_registry
from aurum.pipelines.source import Dataset, Measure

DATASETS = [dataset for source in own_registry().sources for dataset in source.datasets]
MEASURES = [(dataset, measure) for dataset in DATASETS for measure in dataset.measures]
IDS = [f"{dataset.source}:{dataset.name}:{measure.name}" for dataset, measure in MEASURES]
RUNS = (
    (r"isone:hourlylmp:|isone:smd_hourly:(dry_bulb|dew_point)|eia:wholesale_hubs:|eia:gas_storage|eia:(api|navigator)_", None),
    (r"(fred|ecb|datahub|drought_monitor|noaa):", None),
    (r"eia:rto_region:load_forecast|nyiso:isolf:|entsoe:.*_forecast(_|:)|caiso:sld_(ren_)?fcst_(?!actual)", MarketRun.FORECAST),
    (r"isone:rt_lmp_prelim:", MarketRun.PRELIMINARY),
    (r"isone:rt_lmp_final:|pjm:hrl_load_metered:|pjm:pjme_hourly:", MarketRun.SETTLEMENT),
    (r"isone:smd_hourly:da_", MarketRun.DAY_AHEAD),
    (r"isone:smd_hourly:", MarketRun.SETTLEMENT),
    (r"\w+:(da_\w+|damlbmp_\w+|prc_lmp_dam|ene_slrs_dam|dam_spp|day_ahead_(prices|auction)):", MarketRun.DAY_AHEAD),
    (r"caiso:ene_slrs_ruc:", MarketRun.RESIDUAL_COMMITMENT),
    (r"caiso:ene_slrs_hasp:|nyiso:rtc_zone:", MarketRun.HOUR_AHEAD),
    (r"entsoe:intraday_auction_prices:", MarketRun.INTRADAY_AUCTION),
    (r".*", MarketRun.REAL_TIME),
)
"""The first pattern that a series matches tells its run; what no row names is measured or dispatched in real time."""


@pytest.mark.parametrize(("dataset", "measure"), MEASURES, ids=IDS)
def test_a_measure_is_of_a_kind_and_a_run(dataset: Dataset, measure: Measure) -> None:
    name = f"{dataset.source}:{dataset.name}:{measure.name}"
    dimensions = dataset.dimensions(measure.name)
    assert dimensions.market_run is next(run for pattern, run in RUNS if re.match(pattern, name))
    assert dataset.is_forecast == (dimensions.kind in (Kind.LOAD_FORECAST, Kind.GENERATION_FORECAST)) or dataset.source == "eia"


@pytest.mark.parametrize(("dataset", "measure"), MEASURES, ids=IDS)
def test_what_is_named_after_sun_or_wind_has_that_fuel(dataset: Dataset, measure: Measure) -> None:
    dimensions = dataset.dimensions(measure.name)
    if re.match(r"generation_(forecast_)?(solar|wind)", measure.name):
        assert dimensions.fuel in (Fuel.SOLAR, Fuel.WIND)
    if not measure.fuel:
        assert dimensions.fuel is None


def test_there_are_datasets_of_every_market() -> None:
    assert len(DATASETS) >= 87
