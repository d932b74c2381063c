"""Files that could be taken for others, through all steps of loading, into a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aurum.common.contracts import contracts_directory
from aurum.core.asof import Span
from aurum.core.keys import SeriesKey
from aurum.pipelines.loading.load import FileOutcome, FileReport, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.storage.ports.quality import QuarantineFilter
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

PJM = (
    "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,voltage,equipment,type,zone,system_energy_price_rt,"
    "total_lmp_rt,congestion_price_rt,marginal_loss_price_rt,row_is_current,version_nbr\n"
)
HOURLY = "pjm:rt_hrl_lmps:51217:lmp"
REAL = Path(__file__).resolve().parents[5] / "shared" / "data" / "faults"


@pytest.fixture
def ingestion(postgres_store: PostgresStore, tmp_path: Path) -> Ingestion:
    return Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=postgres_store.loader,
        raw_files=RawFiles(tmp_path / "kept"),
    )


def pjm(*rows: tuple[str, str, float], name: str = "EASTERN HUB") -> str:
    """Return a file of real-time prices: UTC time of 2025-07-01, node and price of each row."""
    return PJM + "".join(f"7/1/2025 {time},,{node},{name},,,HUB,,{price},{price},0,0,True,1\n" for time, node, price in rows)


HOURS = pjm(("5:00:00 PM", "51217", 105), ("6:00:00 PM", "51217", 106), ("7:00:00 PM", "51217", 107))


async def load(ingestion: Ingestion, name: str, content: str | bytes) -> FileReport:
    return await ingestion.ingest(SourceFile(name, content.encode() if isinstance(content, str) else content))


async def keys(store: PostgresStore) -> list[str]:
    async with store.pool.acquire() as connection:
        return [row["key"] for row in await connection.fetch("SELECT key FROM series ORDER BY key")]


async def values(store: PostgresStore, key: str) -> dict[datetime, float]:
    series = (await store.catalog.series_by_key([key]))[key]
    stored = await store.reader.observations(series.series_id, span=Span())
    return dict(zip(stored["ts"], stored["value"], strict=True))


async def raw_texts(store: PostgresStore) -> list[str]:
    return [row.raw for row in await store.quality.quarantine_page(QuarantineFilter(), after=None, limit=100)]


async def test_five_minute_prices_never_revise_hourly_ones(postgres_store: PostgresStore, ingestion: Ingestion) -> None:
    await load(ingestion, "rt_hrl_lmps.csv", HOURS)
    minutes = [(f"{hour}:{minute:02}:00 PM", "51217", 500 + hour) for hour in (5, 6, 7) for minute in range(0, 60, 5)]
    report = await load(ingestion, "rt_hrl_lmps_2.csv", pjm(*minutes))
    if report.outcome is FileOutcome.REFUSED:
        assert "spacing 5 minutes, the dataset's is 1 hour" in report.reason
    else:
        assert report.dataset != "rt_hrl_lmps"
    assert list((await values(postgres_store, HOURLY)).values()) == [105.0, 106.0, 107.0]


async def test_ids_as_a_spreadsheet_writes_them_make_no_new_series(postgres_store: PostgresStore, ingestion: Ingestion) -> None:
    await load(ingestion, "rt_hrl_lmps.csv", HOURS)
    before = await keys(postgres_store)
    rows = [
        ("1:00:00 PM", "51217.0", 1.0),
        ("2:00:00 PM", '"51,217"', 2.0),
        ("3:00:00 PM", "5.1217E+04", 3.0),
        ("4:00:00 PM", "00051217", 4.0),
        ("5:00:00 AM", "5.12E+04", 5.0),
    ]
    report = await load(ingestion, "rt_hrl_lmps_float.csv", pjm(*rows))
    assert (report.outcome, report.quarantined) == (FileOutcome.APPLIED, 1)
    assert await keys(postgres_store) == before
    assert list((await values(postgres_store, HOURLY)).values()) == [1, 2, 3, 4, 105, 106, 107]


@pytest.mark.parametrize("character", ["\x00", "\x91", "\u200b", "\ufeff", "\u202e", "\ue000", "\u0378"], ids=ascii)
async def test_invisible_characters_make_no_series_and_break_nothing(
    postgres_store: PostgresStore, ingestion: Ingestion, character: str
) -> None:
    text = pjm(("5:00:00 PM", "51217", 105), ("6:00:00 PM", f"51{character}217", 1), name=f"EAST{character}ERN HUB")
    report = await load(ingestion, "rt_hrl_lmps.csv", text)
    assert (report.outcome, report.quarantined) == (FileOutcome.APPLIED, 1)
    assert [SeriesKey.parse(key).location for key in await keys(postgres_store)] == ["51217"] * 4
    series = (await postgres_store.catalog.series_by_key([HOURLY]))[HOURLY]
    assert series.spec.location_name == "EASTERN HUB"
    (raw,) = await raw_texts(postgres_store)
    assert raw.split(",")[2] == f"51{character}217".replace("\x00", "\\x00")


async def test_a_nul_in_a_number_or_a_stamp_is_held_back_and_shown_escaped(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    text = HOURS.replace("106,106", "106,1\x0006").replace("7:00:00 PM", "7:00\x00:00 PM")
    report = await load(ingestion, "rt_hrl_lmps.csv", text)
    assert (report.outcome, report.quarantined) == (FileOutcome.APPLIED, 2)
    assert all("\\x00" in raw and "\x00" not in raw for raw in await raw_texts(postgres_store))


@pytest.mark.parametrize("content", ["a\x00b,c\n1,2\n", "\x00", "DATE,A\x00B\n2025-01-01,1\n"], ids=ascii)
async def test_a_refused_file_with_a_nul_is_recorded(ingestion: Ingestion, content: str) -> None:
    report = await load(ingestion, "a\x00\udc80.csv", content)
    assert report.outcome is FileOutcome.REFUSED


@pytest.mark.parametrize("day", ["1/1/0001", "12/31/9999", "7/1/0018", "7/1/1677", "7/1/2262", "7/1/69"])
async def test_instants_that_cannot_be_are_held_back(postgres_store: PostgresStore, ingestion: Ingestion, day: str) -> None:
    report = await load(ingestion, "rt_hrl_lmps.csv", HOURS.replace("7/1/2025 6", f"{day} 6"))
    assert (report.outcome, report.new) == (FileOutcome.APPLIED, 8)
    assert report.quarantined in (1, 4), "a row that is not read, or its four prices"
    assert len(await values(postgres_store, HOURLY)) == 2


async def test_a_month_of_the_year_9999_is_held_back(postgres_store: PostgresStore, ingestion: Ingestion) -> None:
    report = await load(ingestion, "henry_hub_monthly.csv", "Month,Price\n2025-01,4.1\n9999-12,4.2\n")
    assert (report.new, report.quarantined) == (1, 1)
    assert len(await values(postgres_store, "datahub:natural_gas_monthly:henry_hub:price")) == 1


async def test_monthly_means_do_not_enter_a_daily_series(postgres_store: PostgresStore, ingestion: Ingestion) -> None:
    text = "observation_date,DHHNGSP\n2025-07-01,3.2\n2025-08-01,2.9\n2025-09-01,3.0\n"
    report = await load(ingestion, "fredgraph_monthly.csv", text)
    assert report.outcome is FileOutcome.REFUSED
    assert "spacing 1 month, the dataset's is 1 day" in report.reason
    assert await keys(postgres_store) == []


async def test_a_stored_series_keeps_its_step(postgres_store: PostgresStore, ingestion: Ingestion) -> None:
    await load(ingestion, "fredgraph.csv", "observation_date,NOTLISTED\n2025-07-01,1\n2025-07-02,2\n2025-07-03,3\n")
    report = await load(
        ingestion, "fredgraph (1).csv", "observation_date,NOTLISTED\n2025-07-01,9\n2025-08-01,9\n2025-09-01,9\n"
    )
    assert report.outcome is FileOutcome.REFUSED
    assert list((await values(postgres_store, "fred:observations:NOTLISTED:value")).values()) == [1, 2, 3]


async def test_an_id_of_fred_may_begin_with_a_digit(postgres_store: PostgresStore, ingestion: Ingestion) -> None:
    text = "observation_date,4BIGEURORECP\n2020-04-01,1\n2020-05-01,0\n2020-06-01,.\n"
    assert (await load(ingestion, "fredgraph_digit.csv", text)).new == 2
    assert await keys(postgres_store) == ["fred:observations:4BIGEURORECP:value"]


FRED = (
    '{"realtime_start": "2025-11-13", "realtime_end": "2025-11-13", "observation_start": "1600-01-01", "units": "lin", '
    '"observations": [{"realtime_start": "2025-11-13", "date": "2025-07-01", "value": "322.132"}, '
    '{"realtime_start": "2025-11-13", "date": "2025-08-01", "value": "323.364"}]}'
)


@pytest.mark.parametrize(
    "name", ["fred_CPIAUCSL_2025.json", "CPIAUCSL.json", "CPIAUCSL_20251113.json", "CPIAUCSL-2025-11-13.json"]
)
async def test_a_date_in_a_files_name_is_not_part_of_the_id(
    postgres_store: PostgresStore, ingestion: Ingestion, name: str
) -> None:
    await load(ingestion, name, FRED)
    (series,) = (await postgres_store.catalog.series_by_key(["fred:observations:CPIAUCSL:value"])).values()
    assert (series.spec.unit, str(series.spec.frequency)) == ("index", "1mo")


async def test_an_incomplete_answer_says_so_in_its_report(ingestion: Ingestion) -> None:
    record = '{"period": "2025-11-02T0%d", "respondent": "PJM", "type": "D", "value": "80000", "value-units": "megawatthours"}'
    text = (
        '{"response": {"warnings": [{"warning": "incomplete return", "description": "At most 5000 rows."}], "total": "7", '
        f'"frequency": "hourly", "data": [{record % 5}, {record % 6}]}}}}'
    )
    report = await load(ingestion, "eia_page1.json", text)
    assert report.outcome is FileOutcome.APPLIED
    assert report.notices == (
        "EIA warns: incomplete return: At most 5000 rows.",
        "incomplete: 2 of the 7 records of the query; load the other pages too",
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
async def test_text_with_a_byte_order_mark_is_read(postgres_store: PostgresStore, ingestion: Ingestion, encoding: str) -> None:
    assert (await load(ingestion, "rt_hrl_lmps.csv", HOURS.encode(encoding))).new == 12
    assert list((await values(postgres_store, HOURLY)).values()) == [105, 106, 107]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
async def test_utf_16_without_a_byte_order_mark_is_refused_with_the_reason(ingestion: Ingestion, encoding: str) -> None:
    report = await load(ingestion, "rt_hrl_lmps.csv", HOURS.encode(encoding))
    assert report.reason == "the text is UTF-16 without a byte order mark: save it as UTF-8"


ISONE = (
    '"C","Day-Ahead Energy Market Hourly LMP Report"\n"C","Report generated: 11/04/2018 13:00:00 EST"\n'
    '"H","Date","Hour Ending","Location ID","Location Name","Location Type","Locational Marginal Price","Energy Component",'
    '"Congestion Component","Marginal Loss Component"\n"H","Date","String","Number","String","String","$","$","$","$"\n'
    '"D","11/05/18","01","4000",".H.INTERNAL_HUB","HUB",20,20,0,0\n'
    '"D","11/05/2018","02","4000.0",".H.INTERNAL_HUB","HUB",21,21,0,0\n"T","2 lines"\n'
)


async def test_years_of_two_digits_are_of_their_century(postgres_store: PostgresStore, ingestion: Ingestion) -> None:
    await load(ingestion, "WW_DALMP_ISO_20181105.csv", ISONE)
    first, second = (datetime(2018, 11, 5, hour, tzinfo=UTC) for hour in (5, 6))
    assert await values(postgres_store, "isone:da_lmp:4000:lmp") == {first: 20.0, second: 21.0}


async def test_a_file_whose_every_row_is_held_back_makes_no_series(postgres_store: PostgresStore, ingestion: Ingestion) -> None:
    report = await load(ingestion, "rt_hrl_lmps.csv", HOURS.replace("51217", "5.12E+04"))
    assert (report.outcome, report.quarantined) == (FileOutcome.APPLIED, 3)
    assert await keys(postgres_store) == []


@pytest.mark.needs_real_files
@pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} does not exist")
async def test_the_files_in_which_faults_were_found_load_without_a_surprise(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    for path in sorted(REAL.iterdir()):
        report = await load(ingestion, path.name, path.read_bytes())
        assert report.outcome is not FileOutcome.REFUSED or report.reason
    assert all(SeriesKey.parse(key) for key in await keys(postgres_store))
    assert set(await values(postgres_store, HOURLY)) <= {
        datetime(2025, 7, day, hour, tzinfo=UTC) for day in (1, 3) for hour in range(24)
    }
