"""Generation by fuel of several operators, loaded from files: one filter compares them, and no word is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurum.common.contracts import contracts_directory
from aurum.core.asof import Span
from aurum.core.catalog import Fuel, Kind, MarketRun
from aurum.core.catalog.fuels import FuelWord, fuel_word
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.pipelines import dataset
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.services.catalog.mappings import add_mapping
from aurum.services.catalog.reading_terms import reading_terms
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.testing.stores import PostgresStore, series_named

pytestmark = pytest.mark.needs_postgres

REAL = Path(__file__).resolve().parents[5] / "shared" / "data"
FUEL_MIX = """Time Stamp,Time Zone,Fuel Category,Gen MW
02/01/2016 00:05:00,EST,Wind,120
02/01/2016 00:05:00,EST,Antimatter,7
02/01/2016 00:05:00,EST,Hydro,300
"""


@pytest.fixture
def ingestion(postgres_store: PostgresStore, tmp_path: Path) -> Ingestion:
    suites = read_suites(contracts_directory(None) / "expectations")
    return Ingestion(
        registry=default_registry(),
        suites=suites,
        loader=postgres_store.loader,
        raw_files=RawFiles(tmp_path / "kept"),
        terms=lambda: reading_terms(postgres_store.curves, postgres_store.mappings),
    )


async def keys_of(store: PostgresStore, criteria: SeriesFilter) -> list[str]:
    return [str(series.key) for series in await store.catalog.series_page(criteria, after=None, limit=1000)]


async def test_an_unknown_fuel_is_stored_listed_and_not_quarantined(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    report = await ingestion.ingest(SourceFile("20160201rtfuelmix.csv", FUEL_MIX.encode()))
    assert (report.outcome, report.new, report.quarantined) == (FileOutcome.APPLIED, 3, 0)
    (key,) = await keys_of(postgres_store, SeriesFilter(fuel=Fuel.UNMAPPED))
    series = await series_named(postgres_store, key)
    assert (key, series.spec.unit) == ("nyiso:rtfuelmix:NYISO:generation_antimatter", "MW")
    assert series.spec.labels == {"fuel_as_published": "Antimatter"}
    assert (await postgres_store.reader.observations(series.series_id, span=Span()))["value"].to_list() == [7.0]


async def test_a_word_that_gets_a_meaning_later_moves_the_stored_series(
    postgres_store: PostgresStore, ingestion: Ingestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ingestion.ingest(SourceFile("20160201rtfuelmix.csv", FUEL_MIX.encode()))

    def with_antimatter(operator: str, word: str) -> FuelWord:
        return FuelWord(Fuel.NUCLEAR) if word == "Antimatter" else fuel_word(operator, word)

    monkeypatch.setattr(dataset, "fuel_word", with_antimatter)
    later = FUEL_MIX.replace("00:05:00", "00:10:00")
    assert (await ingestion.ingest(SourceFile("20160201rtfuelmix.csv", later.encode()))).new == 3
    assert await keys_of(postgres_store, SeriesFilter(fuel=Fuel.UNMAPPED)) == []
    assert await keys_of(postgres_store, SeriesFilter(fuel=Fuel.NUCLEAR)) == ["nyiso:rtfuelmix:NYISO:generation_antimatter"]


async def test_a_word_that_an_administrator_maps_gives_the_stored_series_its_fuel_with_the_next_file(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    key = "nyiso:rtfuelmix:NYISO:generation_antimatter"
    await ingestion.ingest(SourceFile("20160201rtfuelmix.csv", FUEL_MIX.encode()))
    await add_mapping(
        postgres_store.transactions,
        MappingKind.FUEL,
        spelling="ANTIMATTER",
        target="wind/wind_offshore",
        scope="nyiso",
        by=Actor("operator"),
    )
    assert (await series_named(postgres_store, key)).spec.fuel is Fuel.UNMAPPED
    later = FUEL_MIX.replace("00:05:00", "00:10:00")
    assert (await ingestion.ingest(SourceFile("20160201rtfuelmix.csv", later.encode()))).new == 3
    series = await series_named(postgres_store, key)
    assert (series.spec.fuel, series.spec.fuel_detail) == (Fuel.WIND, "wind_offshore")
    assert (series.spec.kind, series.spec.labels) == (Kind.GENERATION, {"fuel_as_published": "Antimatter"})
    assert (await postgres_store.reader.observations(series.series_id, span=Span()))["value"].to_list() == [7.0, 7.0]
    hydro = await series_named(postgres_store, "nyiso:rtfuelmix:NYISO:generation_hydro")
    assert (hydro.spec.fuel, hydro.spec.fuel_detail) == (Fuel.HYDRO, None)


@pytest.mark.needs_real_files
@pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} does not exist")
async def test_wind_generation_of_every_market_is_one_filter(postgres_store: PostgresStore, ingestion: Ingestion) -> None:
    for name in (
        "nyiso/20171122rtfuelmix.csv",
        "aeso/latest_electricity_market_report.csv",
        "caiso/20170312_DailyRenewablesWatch.txt",
    ):
        report = await ingestion.ingest(SourceFile(Path(name).name, (REAL / name).read_bytes()))
        assert report.outcome is FileOutcome.APPLIED, report.reason
    assert await keys_of(postgres_store, SeriesFilter(kind=Kind.GENERATION, fuel=Fuel.WIND)) == [
        "aeso:current_supply_demand:AESO:generation_wind",
        "caiso:daily_renewables_watch:CAISO:generation_wind",
        "nyiso:rtfuelmix:NYISO:generation_wind",
        "nyiso:rtfuelmix_extra:NYISO:generation_wind",
    ]
    assert await keys_of(postgres_store, SeriesFilter(fuel=Fuel.UNMAPPED)) == []
    assert await keys_of(postgres_store, SeriesFilter(kind=Kind.GENERATION, market_run=MarketRun.DAY_AHEAD)) == []


@pytest.mark.needs_real_files
@pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} does not exist")
async def test_the_fuels_of_a_report_add_up_to_its_total(postgres_store: PostgresStore, ingestion: Ingestion) -> None:
    """AESO prints both: a sum over fuels holds neither the total nor flows, capability or reserves."""
    path = REAL / "aeso" / "latest_electricity_market_report.csv"
    await ingestion.ingest(SourceFile(path.name, path.read_bytes()))
    page = await postgres_store.catalog.series_page(SeriesFilter(kind=Kind.GENERATION, location="AESO"), after=None, limit=1000)
    values = {
        one.key.measure: (await postgres_store.reader.observations(one.series_id, span=Span()))["value"][0] for one in page
    }
    of_fuels = [one.key.measure for one in page if one.spec.fuel is not None]
    assert sum(values[measure] for measure in of_fuels) == values["generation"] == 10_054
