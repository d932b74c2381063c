"""Every source from its publisher to the store: servers on loopback that behave like each publisher, and its own parser."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from aurum.common.contracts import contracts_directory
from aurum.common.settings import FetchSettings, FilesSettings
from aurum.core.errors import Invalid
from aurum.pipelines.fetch.client import DownloadLimits
from aurum.pipelines.fetch.downloads import Downloads, FetchOutcome
from aurum.pipelines.fetch.errors import FetchFailed, FetchRefused, MissingCredential
from aurum.pipelines.fetch.fetching import Fetched, Fetching
from aurum.pipelines.fetch.turns import Turns
from aurum.pipelines.loading.documents import read_source_files
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.paging import CsvPages, JsonPages
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import own_registry
from aurum.pipelines.testing.publisher import Publisher, Received, Reply, SteppingClock, publisher_on_loopback
from aurum.pipelines.testing.samples import SAMPLES, Sample
from aurum.storage.memory import MemoryStore

pytestmark = pytest.mark.needs_process

EXPECTATIONS = contracts_directory(None) / "expectations"
REGISTRY = own_registry()
IMPATIENT = DownloadLimits(first_wait_s=0.001, longest_wait_s=0.01, tries=2)
SAMPLE_DAY = date(2025, 7, 4)
KEYS = FetchSettings(
    pjm_key=SecretStr("key-of-pjm"),
    entsoe_token=SecretStr("token-of-entsoe"),
    eia_key=SecretStr("key-of-eia"),
    fred_key=SecretStr("key-of-fred"),
)


@pytest.fixture(scope="module")
def files() -> Iterator[IsolatedFiles]:
    opened = IsolatedFiles(FilesSettings(), expectations=EXPECTATIONS)
    yield opened
    opened.close()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publisher_on_loopback() as running:
        yield running


@dataclass
class World:
    """A publisher, a store in memory, and what fetches from one into the other."""

    publisher: Publisher
    store: MemoryStore
    clock: SteppingClock
    folder: Path
    files: IsolatedFiles

    async def fetch(self, dataset: str, *days: date, settings: FetchSettings = KEYS, force: bool = False) -> list[Fetched]:
        turns = Turns(
            self.folder / "turns",
            self.clock,
            [rule for source in REGISTRY.sources for rule in source.politeness],
            seconds={},
            sleep=self.clock.sleep,
        )
        downloads = Downloads(
            REGISTRY,
            settings,
            self.folder / "files",
            self.clock,
            turns,
            address=self.publisher.address,
            limits=IMPATIENT,
        )
        ingestion = Ingestion(
            registry=REGISTRY,
            suites=read_suites(EXPECTATIONS),
            loader=self.store.loader,
            raw_files=RawFiles(self.folder / "raw"),
            isolated=self.files,
        )
        fetching = Fetching(
            downloads,
            ingestion,
            lambda path: read_source_files(path, self.files, most_bytes=1 << 30),
            self.store.fetches,
            self.clock,
        )
        source, _, name = dataset.partition(":")
        async with aclosing(fetching.fetch_days(source, name, days, force=force)) as results:
            return [result async for result in results]


@pytest.fixture
def world(publisher: Publisher, tmp_path: Path, files: IsolatedFiles) -> World:
    clock = SteppingClock()
    return World(publisher, MemoryStore(clock), clock, tmp_path, files)


def outcomes(results: list[Fetched]) -> set[FileOutcome]:
    return {report.outcome for result in results for report in result.reports}


def datasets_of(results: list[Fetched]) -> set[str]:
    return {f"{report.source}:{name}" for result in results for report in result.reports for name in report.dataset.split(",")}


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


# --- every dataset ----------------------------------------------------------------------------------------------------

_ELSEWHERE = {
    "aeso:current_supply_demand": "of today only: test_fetched_markets",
    "eia:navigator_annual": "a workbook, of which there is a sample of days only",
    "eia:navigator_monthly": "a workbook, of which there is a sample of days only",
    "eia:navigator_weekly": "a workbook, of which there is a sample of days only",
    "ercot:dam_spp": "by way of a list of documents: test_fetched_markets",
    "ercot:rtm_spp": "by way of a list of documents: test_fetched_markets",
}
_WITH_FILES = [
    f"{source.name}:{dataset.name}"
    for source in REGISTRY.sources
    for dataset in source.datasets
    if source.public_files(dataset.name) is not None and f"{source.name}:{dataset.name}" not in _ELSEWHERE
]


def sample_of(key: str) -> Sample:
    """Return the sample of a dataset in the layout that its publisher sends; the first is the usual one."""
    suffixes = {"fred:observations": ".json", "eia:navigator_daily": ".xlsx"}
    samples = [sample for sample in SAMPLES if key in sample.datasets and sample.name.endswith(suffixes.get(key, ""))]
    return samples[0]


@pytest.mark.parametrize("key", _WITH_FILES)
async def test_what_a_publisher_sends_is_loaded_as_its_dataset(world: World, key: str) -> None:
    sample = sample_of(key)

    def script(received: Received) -> Reply:
        is_archive = PurePosixPath(received.path).suffix == ".zip" or received.path.endswith("SingleZip")
        if is_archive:
            content = zipped(sample.name, sample.content)
            return Reply(content, headers={"Content-Type": "application/x-zip-compressed"})
        return Reply(sample.content, headers={"Last-Modified": "Fri, 04 Jul 2025 20:00:00 GMT"})

    world.publisher.script = script
    parts = {
        "entsoe": ("10YLU-CEGEDEL-NQ",),
        "fred": ("CPIAUCSL",),
        "noaa:ghcn_daily": ("USW00099999",),
        "noaa:past_weather": ("USC00199999",),
    }
    settings = KEYS.model_copy(update={"parts": parts})
    results = await world.fetch(key, SAMPLE_DAY, settings=settings)
    assert key in datasets_of(results)
    refused = [report.reason for result in results for report in result.reports if report.outcome is FileOutcome.REFUSED]
    assert refused == []
    state = await world.store.fetches.state(*key.split(":"))
    assert state is not None
    assert state.fetched_at == world.clock.now()


# --- PJM --------------------------------------------------------------------------------------------------------------


class DataMiner:
    """Data Miner 2 with one feed: it asks for the key and for both parameters of pages, and answers in CSV."""

    def __init__(self, rows: list[str], header: str) -> None:
        self.rows = rows
        self.header = header

    def __call__(self, received: Received) -> Reply:
        if received.headers.get("ocp-apim-subscription-key") != "key-of-pjm":
            return Reply(b'{"statusCode": 401, "message": "Access denied due to missing subscription key."}', 401)
        if "startRow" not in received.query or "rowCount" not in received.query:
            return Reply(b'{"errors": [{"field": "rowCount", "message": "rowCount and startRow are required"}]}', 400)
        start = int(received.query["startRow"]) - 1
        rows = self.rows[start : start + int(received.query["rowCount"])]
        return Reply("\r\n".join([self.header, *rows, ""]).encode(), headers={"X-TotalRows": str(len(self.rows))})


def wind(day: date, hours: int) -> list[str]:
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    stamps = [start + timedelta(hours=hour) for hour in range(hours)]
    local = [stamp.astimezone(ZoneInfo("America/New_York")) for stamp in stamps]
    form = "%m/%d/%Y %I:%M:%S %p"
    return [f"{utc:{form}},{ept:{form}},RTO,{number}.5" for number, (utc, ept) in enumerate(zip(stamps, local, strict=True))]


WIND_HEADER = "datetime_beginning_utc,datetime_beginning_ept,area,wind_generation_mw"


async def test_pages_of_pjm_are_one_publication_of_the_whole_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fall_back = date(2024, 11, 3)
    monkeypatch.setattr("aurum.pipelines.sources.pjm.urls._PAGES", CsvPages("startRow", "rowCount", 10))
    world.publisher.script = DataMiner(wind(fall_back, 25), WIND_HEADER)
    (result,) = await world.fetch("pjm:wind_gen", fall_back)
    (file,) = result.download.files
    (report,) = result.reports
    assert (report.dataset, report.new, report.rows_read) == ("wind_gen", 25, 25)
    assert file.path.name == "wind_gen.csv"
    assert [received.query["startRow"] for received in world.publisher.received] == ["1", "11", "21"]
    received = world.publisher.received[0]
    assert (received.host, received.path) == ("api.pjm.com", "/api/v1/wind_gen")
    assert received.query["datetime_beginning_ept"] == "11/03/2024 00:00 to 11/03/2024 23:59"
    assert (received.query["format"], received.query["download"]) == ("csv", "true")
    assert world.clock.slept == [10.0, 10.0]  # six requests a minute


async def test_the_last_day_of_a_year_is_two_requests_because_utc_years_are_not_mixed(world: World) -> None:
    last = date(2024, 12, 31)
    whole = wind(last, 24)

    def script(received: Received) -> Reply:
        rows = whole[:19] if received.query["datetime_beginning_ept"].endswith("18:59") else whole[19:]
        return DataMiner(rows, WIND_HEADER)(received)

    world.publisher.script = script
    (result,) = await world.fetch("pjm:wind_gen", last)
    assert [received.query["datetime_beginning_ept"] for received in world.publisher.received] == [
        "12/31/2024 00:00 to 12/31/2024 18:59",
        "12/31/2024 19:00 to 12/31/2024 23:59",
    ]
    assert [file.path.name for file in result.download.files] == ["wind_gen.csv", "wind_gen_2.csv"]
    assert sum(report.new for report in result.reports) == 24


async def test_a_day_that_pjm_has_not_posted_is_not_published(world: World) -> None:
    world.publisher.script = DataMiner([], WIND_HEADER)
    (result,) = await world.fetch("pjm:wind_gen", SAMPLE_DAY)
    assert result.download.outcome is FetchOutcome.NOT_PUBLISHED
    assert await world.store.fetches.states() == []


async def test_the_key_of_pjm_is_asked_for_and_its_refusal_is_told(world: World) -> None:
    world.publisher.script = DataMiner([], WIND_HEADER)
    with pytest.raises(
        MissingCredential, match=r"AURUM_FETCH__PJM_KEY is not set: request a key at https://apiportal\.pjm\.com"
    ):
        await world.fetch("pjm:wind_gen", SAMPLE_DAY, settings=FetchSettings())
    wrong = FetchSettings(pjm_key=SecretStr("another-key"))
    with pytest.raises(FetchRefused, match="refused the key of AURUM_FETCH__PJM_KEY with status 401: Access denied") as caught:
        await world.fetch("pjm:wind_gen", SAMPLE_DAY, settings=wrong)
    assert "another-key" not in str(caught.value)


async def test_prices_of_pjm_are_of_the_chosen_types_of_nodes(world: World) -> None:
    header, *rows = sample_of("pjm:da_hrl_lmps").text.splitlines()
    world.publisher.script = DataMiner(rows, header)
    await world.fetch("pjm:da_hrl_lmps", SAMPLE_DAY, settings=KEYS.model_copy(update={"parts": {"pjm": ("HUB", "ZONE")}}))
    await world.fetch("pjm:da_hrl_lmps", SAMPLE_DAY)
    assert [received.query.get("type") for received in world.publisher.received] == ["HUB", "ZONE", None]
    assert {received.query["row_is_current"] for received in world.publisher.received} == {"true"}


# --- ENTSO-E ----------------------------------------------------------------------------------------------------------

FRANCE, LUXEMBOURG = "10YFR-RTE------C", "10YLU-CEGEDEL-NQ"


def acknowledgement(code: str, text: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1">'
        f"<mRID>1</mRID><Reason><code>{code}</code><text>{text}</text></Reason></Acknowledgement_MarketDocument>"
    ).encode()


def of_areas(*areas: str) -> FetchSettings:
    return KEYS.model_copy(update={"parts": {"entsoe": areas}})


async def test_each_area_of_entsoe_is_a_file_of_its_own_day(world: World) -> None:
    content = sample_of("entsoe:load").content
    nothing = acknowledgement("999", "No matching data found for Data item ACTUAL_TOTAL_LOAD_R3 [6.1.A]")

    def script(received: Received) -> Reply:
        if received.query["securityToken"] != "token-of-entsoe":
            return Reply(b"<html><title>401 Unauthorized</title></html>", 401)
        return Reply(content if received.query["outBiddingZone_Domain"] == LUXEMBOURG else nothing)

    world.publisher.script = script
    (result,) = await world.fetch("entsoe:load", SAMPLE_DAY, settings=of_areas(FRANCE, LUXEMBOURG))
    assert [file.path.name for file in result.download.files] == [f"{LUXEMBOURG}.xml"]
    received = world.publisher.received[0]
    assert (received.host, received.path, received.query["documentType"], received.query["processType"]) == (
        "web-api.tp.entsoe.eu",
        "/api",
        "A65",
        "A16",
    )
    assert (received.query["periodStart"], received.query["periodEnd"]) == ("202507032200", "202507042200")
    assert "token-of-entsoe" not in str(result)


@pytest.mark.parametrize("status", [200, 400])
async def test_entsoe_has_no_data_for_a_day_and_says_so(world: World, status: int) -> None:
    world.publisher.replies = [Reply(acknowledgement("999", "No matching data found for Data item"), status)]
    (result,) = await world.fetch("entsoe:load", SAMPLE_DAY, settings=of_areas(FRANCE))
    assert result.download.outcome is FetchOutcome.NOT_PUBLISHED
    assert "No matching data found" in result.download.detail


async def test_a_query_that_entsoe_refuses_is_told_with_its_reason(world: World) -> None:
    reason = "The amount of requested data exceeds allowed limit. Requested 102, allowed 100."
    world.publisher.replies = [Reply(acknowledgement("999", reason), 400)]
    with pytest.raises(FetchRefused, match="exceeds allowed limit"):
        await world.fetch("entsoe:load", SAMPLE_DAY, settings=of_areas(FRANCE))


@pytest.mark.parametrize(
    ("dataset", "query"),
    [
        ("day_ahead_prices", {"documentType": "A44", "contract_MarketAgreement.type": "A01", "in_Domain": "AREA"}),
        ("intraday_auction_prices", {"documentType": "A44", "contract_MarketAgreement.type": "A07", "out_Domain": "AREA"}),
        ("load_forecast", {"documentType": "A65", "processType": "A01", "outBiddingZone_Domain": "AREA"}),
        ("generation", {"documentType": "A75", "processType": "A16", "in_Domain": "AREA"}),
        ("wind_solar_forecast", {"documentType": "A69", "processType": "A01", "in_Domain": "AREA"}),
        ("wind_solar_forecast_intraday", {"documentType": "A69", "processType": "A40", "in_Domain": "AREA"}),
        ("wind_solar_forecast_current", {"documentType": "A69", "processType": "A18", "in_Domain": "AREA"}),
    ],
)
async def test_the_data_item_of_each_dataset_of_entsoe(world: World, dataset: str, query: dict[str, str]) -> None:
    finland = "10YFI-1--------U"
    world.publisher.replies = [Reply(acknowledgement("999", "No matching data found"))]
    await world.fetch(f"entsoe:{dataset}", date(2025, 10, 26), settings=of_areas(finland))
    (received,) = world.publisher.received
    assert {name: received.query.get(name) for name in query} == {
        name: value.replace("AREA", finland) for name, value in query.items()
    }
    # The trading day is that of Brussels, other days are those of the area; clocks change on this one.
    start = "202510252200" if dataset.endswith("prices") else "202510252100"
    assert (received.query["periodStart"], len(received.query["periodEnd"])) == (start, 12)


# --- EIA --------------------------------------------------------------------------------------------------------------


class OpenData:
    """EIA's web service with the records of one route."""

    def __init__(self, records: list[dict[str, str]], frequency: str) -> None:
        self.records = records
        self.frequency = frequency

    def __call__(self, received: Received) -> Reply:
        if received.query.get("api_key") != "key-of-eia":
            return Reply(b'{"error": {"code": "API_KEY_INVALID", "message": "An invalid api_key was supplied."}}', 403)
        offset, length = int(received.query["offset"]), int(received.query["length"])
        response = {
            "total": str(len(self.records)),
            "dateFormat": "x",
            "frequency": self.frequency,
            "data": self.records[offset : offset + length],
        }
        echo = {"command": received.path, "params": {"api_key": received.query["api_key"]}}
        return Reply(json.dumps({"response": response, "request": echo}).encode())


def hours_of(day: date) -> list[dict[str, str]]:
    first = datetime(day.year, day.month, day.day, 1)
    return [
        {
            "period": f"{first + timedelta(hours=hour):%Y-%m-%dT%H}",
            "fromba": "AAA",
            "toba": "BBB",
            "value": str(hour),
            "value-units": "megawatthours",
        }
        for hour in range(24)
    ]


async def test_pages_of_eia_are_one_publication_of_the_utc_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = JsonPages(("response", "data"), ("response", "total"), "offset", "length", 10)
    monkeypatch.setattr("aurum.pipelines.sources.eia.web_service._PAGES", pages)
    world.publisher.script = OpenData(hours_of(SAMPLE_DAY), "hourly")
    (result,) = await world.fetch("eia:rto_interchange", SAMPLE_DAY)
    (report,) = result.reports
    assert (report.dataset, report.new, report.notices) == ("rto_interchange", 24, ())
    assert [received.query["offset"] for received in world.publisher.received] == ["0", "10", "20"]
    received = world.publisher.received[0]
    assert (received.path, received.query["start"], received.query["end"]) == (
        "/v2/electricity/rto/interchange-data/data/",
        "2025-07-04T01",
        "2025-07-05T00",
    )
    assert [received.query[f"sort[{place}][column]"] for place in range(3)] == ["period", "fromba", "toba"]
    (file,) = result.download.files
    assert "key-of-eia" not in file.path.read_text()
    assert world.clock.slept == [0.4, 0.4]


async def test_eia_has_no_records_for_a_day(world: World) -> None:
    world.publisher.script = OpenData([], "hourly")
    (result,) = await world.fetch("eia:rto_region", SAMPLE_DAY)
    assert result.download.outcome is FetchOutcome.NOT_PUBLISHED


@pytest.mark.parametrize("status", [200, 400])
async def test_an_error_of_eia_is_told_with_its_reason(world: World, status: int) -> None:
    world.publisher.replies = [Reply(b'{"error": "Invalid frequency \'yearly\' provided.", "code": 400}', status)]
    with pytest.raises(FetchRefused, match="Invalid frequency 'yearly' provided"):
        await world.fetch("eia:rto_region", SAMPLE_DAY)


async def test_a_wrong_key_of_eia_is_told(world: World) -> None:
    world.publisher.script = OpenData([], "hourly")
    with pytest.raises(FetchRefused, match="An invalid api_key was supplied"):
        await world.fetch("eia:rto_region", SAMPLE_DAY, settings=FetchSettings(eia_key=SecretStr("another-key")))


async def test_series_of_eia_are_parts_with_their_route(world: World) -> None:
    records = [{"period": "2025-07", "series": "RWTC", "value": "67.5", "units": "$/BBL"}]
    world.publisher.script = OpenData(records, "monthly")
    parts = {"eia:api_monthly": ("petroleum/pri/spt:series=RWTC",)}
    (result,) = await world.fetch("eia:api_monthly", SAMPLE_DAY, settings=KEYS.model_copy(update={"parts": parts}))
    (received,) = world.publisher.received
    assert (received.path, received.query["facets[series][]"]) == ("/v2/petroleum/pri/spt/data/", "RWTC")
    assert (received.query["start"], received.query["end"], received.query["frequency"]) == ("2025-07", "2025-07", "monthly")
    assert [report.new for report in result.reports] == [1]
    with pytest.raises(Invalid, match="'RWTC' is not a part of eia:api_monthly"):
        await world.fetch("eia:api_monthly", SAMPLE_DAY, settings=KEYS.model_copy(update={"parts": {"eia": ("RWTC",)}}))


@pytest.mark.parametrize(
    ("dataset", "start", "end"),
    [
        ("api_daily", "2025-07-04", "2025-07-04"),
        ("api_weekly", "2025-07-04", "2025-07-10"),
        ("api_quarterly", "2025-Q3", "2025-Q3"),
        ("api_annual", "2025", "2025"),
    ],
)
async def test_the_periods_of_a_query_of_eia_hold_the_day(world: World, dataset: str, start: str, end: str) -> None:
    world.publisher.script = OpenData([], "x")
    await world.fetch(f"eia:{dataset}", SAMPLE_DAY)
    assert {(received.query["start"], received.query["end"]) for received in world.publisher.received} == {(start, end)}


# --- FRED -------------------------------------------------------------------------------------------------------------


def vintages(*observations: tuple[str, str, str]) -> bytes:
    records = [
        {"realtime_start": since, "realtime_end": "9999-12-31", "date": day, "value": value}
        for since, day, value in observations
    ]
    frame = {"observation_start": "2025-05-01", "units": "lin", "count": len(records), "offset": 0, "limit": 100000}
    return json.dumps({**frame, "realtime_start": "2025-05-01", "observations": records}).encode()


def of_series(*series: str) -> FetchSettings:
    return KEYS.model_copy(update={"parts": {"fred": series}})


async def test_each_vintage_of_fred_is_known_from_its_day(world: World) -> None:
    content = vintages(("2025-06-11", "2025-05-01", "320.58"), ("2025-07-15", "2025-05-01", "320.62"))
    world.publisher.replies = [Reply(content)]
    (result,) = await world.fetch("fred:observations", date(2025, 5, 20), settings=of_series("CPIAUCSL"))
    assert sum(report.new + report.revised for report in result.reports) == 2
    (file,) = result.download.files
    assert file.path.name == "CPIAUCSL.json"
    (received,) = world.publisher.received
    assert (received.host, received.path, received.query["series_id"]) == (
        "api.stlouisfed.org",
        "/fred/series/observations",
        "CPIAUCSL",
    )
    assert (received.query["observation_start"], received.query["realtime_start"], received.query["realtime_end"]) == (
        "2025-05-01",
        "2025-05-01",
        "9999-12-31",
    )
    assert "key-of-fred" not in str(result)


async def test_old_days_of_daily_series_ask_for_the_vintages_of_five_years(world: World) -> None:
    world.publisher.replies = [Reply(vintages())]
    await world.fetch("fred:observations", date(2010, 3, 1), settings=of_series("DGS10"))
    (received,) = world.publisher.received
    assert (received.query["realtime_start"], received.query["realtime_end"]) == ("2010-03-01", "2015-03-05")


@pytest.mark.parametrize("status", [200, 400])
async def test_an_error_of_fred_is_told_with_its_reason(world: World, status: int) -> None:
    world.publisher.replies = [
        Reply(b'{"error_code": 400, "error_message": "Bad Request.  The series does not exist."}', status)
    ]
    with pytest.raises(FetchRefused, match="The series does not exist"):
        await world.fetch("fred:observations", SAMPLE_DAY, settings=of_series("CPIAUCSL"))


async def test_without_a_key_the_graph_download_of_fred_is_used(world: World) -> None:
    rows = "\n".join(f"2025-07-{day:02},3.{day}" for day in (1, 2, 3, 7))
    world.publisher.replies = [Reply(f"observation_date,DHHNGSP\n{rows}\n".encode())]
    settings = FetchSettings(parts={"fred": ("DHHNGSP",)})
    (result,) = await world.fetch("fred:observations", *(date(2025, 7, day) for day in range(1, 8)), settings=settings)
    (received,) = world.publisher.received
    assert (received.host, received.query["id"], received.query["cosd"], received.query["coed"]) == (
        "fred.stlouisfed.org",
        "DHHNGSP",
        "2025-07-01",
        "2025-07-07",
    )
    assert [report.new for report in result.reports] == [4]


# --- from fetch to fetch ----------------------------------------------------------------------------------------------


def henry_hub(received: Received) -> Reply:
    """Answer as a server of one history file whose version the client may have."""
    if received.headers.get("if-none-match") == '"1"':
        return Reply(status=304)
    return Reply(sample_of("eia:navigator_daily").content, headers={"ETag": '"1"'})


async def test_a_history_that_has_not_changed_is_not_loaded_again_unless_asked_for(world: World) -> None:
    world.publisher.script = henry_hub
    (first,) = await world.fetch("eia:navigator_daily", SAMPLE_DAY)
    (second,) = await world.fetch("eia:navigator_daily", SAMPLE_DAY + timedelta(days=1))
    (forced,) = await world.fetch("eia:navigator_daily", SAMPLE_DAY, force=True)
    assert [one.download.outcome for one in (first, second, forced)] == [
        FetchOutcome.DOWNLOADED,
        FetchOutcome.UNCHANGED,
        FetchOutcome.DOWNLOADED,
    ]
    state = await world.store.fetches.state("eia", "navigator_daily")
    assert state is not None
    assert (state.etag, state.url) == ('"1"', "https://www.eia.gov/dnav/ng/hist_xls/RNGWHHDd.xls")


async def test_a_file_that_is_refused_proves_nothing_and_is_requested_again(world: World) -> None:
    world.publisher.replies = [Reply(b"hour,price\n1,2\n", headers={"ETag": '"1"'})]
    (result,) = await world.fetch("nyiso:damlbmp_zone", world.clock.now().date())
    assert outcomes([result]) == {FileOutcome.REFUSED}
    assert await world.store.fetches.states() == []


async def test_what_was_loaded_before_a_failure_stays_loaded(world: World) -> None:
    content = sample_of("nyiso:damlbmp_zone").content
    recent = world.clock.now().date() - timedelta(days=1)
    text = content.replace(b"07/04/2025", f"{recent:%m/%d/%Y}".encode())
    world.publisher.script = lambda received: Reply(text) if f"{recent:%Y%m%d}" in received.path else Reply(status=503)
    with pytest.raises(FetchFailed, match="status 503"):
        await world.fetch("nyiso:damlbmp_zone", recent, recent + timedelta(days=1))
    assert [(state.source, state.dataset) for state in await world.store.fetches.states()] == [("nyiso", "damlbmp_zone")]
