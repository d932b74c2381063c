"""Inputs of the dbt project that come from the code: seeds, days, block hours, environment variables."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.common.settings import DatabaseSettings, DbtSettings
from aurum.core.calendars import Block, Window, default_blocks
from aurum.core.markettime import day_bounds
from aurum.pipelines.models.calendar import calendar_frames, market_days
from aurum.pipelines.models.meaning import Family, Meaning, meaning_of
from aurum.pipelines.models.project import (
    ModelPaths,
    ProjectNotFound,
    TargetNotConfigured,
    project_directory,
    variables,
)
from aurum.pipelines.models.seeds import outdated_seeds, write_seeds
from aurum.pipelines.registry import own_registry
from aurum.storage.ports.model_inputs import SERIES_TABLE

PLACES = ModelPaths(Path("/project"), Path("/data/warehouse"))


def test_the_seeds_are_what_the_code_says() -> None:
    assert outdated_seeds(own_registry(), project_directory(None) / "seeds") == {}, "run `aurum dbt seeds`"


def test_writing_seeds_touches_only_those_that_differ(tmp_path: Path) -> None:
    assert len(write_seeds(own_registry(), tmp_path)) == 5
    (tmp_path / "market.csv").write_text("stale")
    assert [path.name for path in write_seeds(own_registry(), tmp_path)] == ["market.csv"]


@pytest.mark.parametrize(
    ("source", "dataset", "measure", "expected"),
    [
        ("nyiso", "damlbmp_zone", "congestion", Meaning(Family.LMP, "congestion")),
        ("isone", "smd_hourly", "rt_lmp", Meaning(Family.LMP, "lmp", "rt")),
        ("entsoe", "intraday_auction_prices", "price_15min_seq2", Meaning(Family.LMP, "lmp", "15min_seq2")),
        ("ercot", "rtm_spp", "spp_energy_weighted", Meaning(Family.LMP, "lmp", "energy_weighted")),
        ("entsoe", "generation", "generation_wind_onshore_15min", Meaning(Family.GENERATION, "fuel", "wind_onshore")),
        ("caiso", "daily_renewables_watch", "generation_renewables", Meaning(Family.GENERATION, "total", "renewables")),
        ("caiso", "sld_ren_fcst_dam", "generation_forecast_wind", Meaning(Family.GENERATION, "forecast", "wind")),
        ("isone", "smd_hourly", "da_demand", Meaning(Family.LOAD, "cleared", "da")),
        ("eia", "wholesale_hubs", "price", Meaning(Family.EXTERNAL, "price")),
        ("isone", "smd_hourly", "dew_point", Meaning(Family.WEATHER, "dew_point")),
        ("isone", "smd_hourly", "reg_service_price", None),
        ("eia", "rto_interchange", "flow", None),
    ],
)
def test_measures_mean_the_same_across_sources(source: str, dataset: str, measure: str, expected: Meaning | None) -> None:
    entry = next(one for one in own_registry().source(source).datasets if one.name == dataset)
    assert meaning_of(entry, entry.measure(measure)) == expected


@pytest.mark.parametrize("zone", ["America/New_York", "America/Santiago", "Etc/GMT+5", "Europe/Berlin"])
def test_market_days_begin_and_end_as_core_says(zone: str) -> None:
    days = market_days(zone, date(2025, 1, 1), date(2026, 1, 1))
    assert days.height == 365
    for day, start, end in zip(days["market_day"], days["starts_at"], days["ends_at"], strict=True):
        assert (start, end) == day_bounds(day, zone)


def one_series(**members: object) -> pl.DataFrame:
    row = dict.fromkeys(SERIES_TABLE) | {
        "series_id": 1,
        "key": "a:b:c:d",
        "market": "NYISO",
        "frequency": "1h",
        "zone": "America/New_York",
        "first_ts": datetime(2024, 6, 1, tzinfo=UTC),
        "last_ts": datetime(2025, 1, 1, 3, tzinfo=UTC),
    }
    return pl.DataFrame([row | members], schema=SERIES_TABLE)


def test_days_and_hours_are_of_whole_years_in_which_there_are_series() -> None:
    frames = calendar_frames(one_series(), default_blocks())
    assert (frames.days["market_day"].min(), frames.days["market_day"].max()) == (date(2024, 1, 1), date(2025, 12, 31))
    assert set(frames.hours["calendar"]) == {"nyiso"}
    whole = frames.hours.filter(pl.col("block") == "7x24")
    assert whole.height == 8784 + 8760
    assert whole["ts"].n_unique() == whole.height


def test_a_block_that_a_user_changed_is_used_with_the_change() -> None:
    mine = Block("nyiso", "NIGHT", "America/New_York", (Window(hours=(1, 2)),))
    hours = calendar_frames(one_series(), [mine]).hours
    assert set(hours["hour_ending"]) == {1, 2}
    fall = hours.filter(pl.col("market_day") == date(2025, 11, 2))
    assert fall["hour_ending"].to_list() == [1, 2, 2]


@pytest.mark.parametrize("other", [{"frequency": "1d"}, {"frequency": "irregular"}, {"first_ts": None, "last_ts": None}])
def test_series_without_intervals_within_a_day_need_no_calendar(other: dict[str, object]) -> None:
    frames = calendar_frames(one_series(**other), default_blocks())
    assert (frames.days.height, frames.hours.height) == (0, 0)


def test_a_socket_and_a_server_both_become_variables_of_dbt() -> None:
    settings = DbtSettings(target="postgres")
    socket = variables(settings, DatabaseSettings(url="postgresql://postgres:@/aurum?host=/tmp/x"), PLACES)
    assert (socket["AURUM_DBT_POSTGRES_HOST"], socket["AURUM_DBT_POSTGRES_DATABASE"]) == ("/tmp/x", "aurum")
    server = variables(settings, DatabaseSettings(url="postgresql://me:p%40ss@db:6432/prod"), PLACES)
    assert server["DBT_ENV_SECRET_AURUM_POSTGRES_PASSWORD"] == "p@ss"
    assert (server["AURUM_DBT_POSTGRES_HOST"], server["AURUM_DBT_POSTGRES_PORT"]) == ("db", "6432")
    assert server["AURUM_DBT_POSTGRES_ROLE"] == "aurum_marts"


def test_the_trino_url_becomes_variables_of_dbt() -> None:
    settings = DbtSettings.model_validate({"target": "trino", "trino_url": "trinos://me:secret@lake/iceberg"})
    env = variables(settings, DatabaseSettings(), PLACES)
    assert (
        env["AURUM_DBT_TRINO_SCHEME"],
        env["AURUM_DBT_TRINO_PORT"],
        env["AURUM_DBT_TRINO_METHOD"],
    ) == (
        "https",
        "443",
        "ldap",
    )
    assert [name for name, value in env.items() if "secret" in value] == ["DBT_ENV_SECRET_AURUM_TRINO_PASSWORD"]


@pytest.mark.parametrize(("target", "setting"), [("postgres", "AURUM_DATABASE__URL"), ("trino", "AURUM_DBT__TRINO_URL")])
def test_a_target_without_a_needed_setting_names_it(target: str, setting: str) -> None:
    with pytest.raises(TargetNotConfigured, match=setting):
        variables(DbtSettings.model_validate({"target": target}), DatabaseSettings(), PLACES)


def test_a_missing_project_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotFound, match="AURUM_DBT__PROJECT_DIR"):
        project_directory(tmp_path)
