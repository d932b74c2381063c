"""The fetcher against a real server on loopback that behaves as publishers do."""

from __future__ import annotations

import io
import logging
import traceback
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from aurum.common.outbound.network import system_lookup
from aurum.common.settings import FetchSettings, LoggingSettings
from aurum.common.telemetry.logging import configure_logging
from aurum.core.errors import AurumError, UnknownName
from aurum.pipelines.fetch.client import DownloadLimits, FetchedFile, Fetcher, Validators
from aurum.pipelines.fetch.downloads import Downloaded, Downloads, FetchOutcome
from aurum.pipelines.fetch.errors import (
    FetchFailed,
    FetchRefused,
    MissingCredential,
    NoPublicFile,
    NotData,
    NotModified,
    NotPublished,
    TooLarge,
)
from aurum.pipelines.fetch.turns import Turns
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.paging import CsvPages, JsonPages
from aurum.pipelines.public_files import (
    Content,
    Credential,
    Granularity,
    Politeness,
    Problem,
    Publication,
    PublicFiles,
    Request,
)
from aurum.pipelines.registry import own_registry
from aurum.pipelines.testing.publisher import Publisher, Received, Reply, SteppingClock, publisher_on_loopback

DAY = date(2025, 11, 2)
HOST = "publisher.example"
URL = f"https://{HOST}/day/20251102.csv"
CSV = b"hour,price\n1,30.5\n2,31.0\n"
IMPATIENT = DownloadLimits(first_wait_s=0.001, longest_wait_s=0.01)
SECRET = "s3cret+key/of=acme"
IN_HEADER = Credential("acme", "AURUM_FETCH__KEYS", "https://acme.example/keys", header="X-Key")
IN_ADDRESS = Credential("acme", "AURUM_FETCH__KEYS", "https://acme.example/keys", parameter="api_key")
SETTINGS = FetchSettings(keys={"acme": SecretStr(SECRET)})


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publisher_on_loopback() as running:
        running.replies = [Reply(CSV)]
        yield running


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


class Client:
    """Fetches one publication of ``acme:prices`` at a time from the publisher of a test."""

    def __init__(self, publisher: Publisher, folder: Path, clock: SteppingClock) -> None:
        self.publisher = publisher
        self.folder = folder / "files"
        self.turns = Turns(folder / "turns", clock, [], seconds={HOST: 0.0}, sleep=clock.sleep)

    async def __call__(
        self,
        files: PublicFiles | None = None,
        *requests: Request,
        limits: DownloadLimits = IMPATIENT,
        settings: FetchSettings = SETTINGS,
        known: Validators | None = None,
    ) -> tuple[FetchedFile, ...]:
        publication = Publication(Granularity.DAY, DAY, DAY, requests or (Request(URL),), (DAY,))
        async with Fetcher(self.folder, settings, self.turns, address=self.publisher.address, limits=limits) as fetcher:
            return await fetcher.fetch("acme", "prices", files or PublicFiles(day=lambda _: URL), publication, known=known)

    @property
    def stored(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def fetch(publisher: Publisher, tmp_path: Path, clock: SteppingClock) -> Client:
    return Client(publisher, tmp_path, clock)


def zipped(name: str = "prices.csv", content: bytes = CSV) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


# --- what is stored ---------------------------------------------------------------------------------------------------


async def test_a_days_file_comes_whole_under_its_name_with_the_time_it_was_available(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(CSV, headers={"Last-Modified": "Sat, 01 Nov 2025 15:00:00 GMT", "ETag": '"7"'})]
    (file,) = await fetch()
    assert file.path == fetch.folder / "acme" / "prices" / "2025-11-02" / "20251102.csv"
    assert file.path.read_bytes() == CSV
    assert file.known_at == KnownAtPolicy(available_at=datetime(2025, 11, 1, 15, tzinfo=UTC), is_fetched=True)
    assert file.validators == Validators(URL, '"7"', "Sat, 01 Nov 2025 15:00:00 GMT")


async def test_the_time_of_an_archive_dates_none_of_its_days(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(zipped(), headers={"Last-Modified": "Sat, 01 Nov 2025 15:00:00 GMT"})]
    url = f"https://{HOST}/month.zip"
    publication = Publication(Granularity.MONTH, DAY.replace(day=1), DAY, (Request(url),), (DAY,))
    async with Fetcher(fetch.folder, SETTINGS, fetch.turns, address=fetch.publisher.address) as fetcher:
        (file,) = await fetcher.fetch("acme", "prices", PublicFiles(month=lambda _: url), publication)
    assert file.known_at.is_bound
    assert file.path.parent.name == "2025-11"


async def test_files_of_one_name_do_not_overwrite_each_other(fetch: Client) -> None:
    files = await fetch(None, Request(URL), Request(f"https://{HOST}/other/20251102.csv"))
    assert [file.path.name for file in files] == ["20251102.csv", "20251102_2.csv"]


async def test_parts_that_are_not_published_are_left_out(fetch: Client) -> None:
    fetch.publisher.script = lambda received: Reply(CSV) if received.path == "/FR.csv" else Reply(status=404)
    requests = [Request(f"https://{HOST}/{part}.csv") for part in ("DE", "FR")]
    assert [file.path.name for file in await fetch(None, *requests)] == ["FR.csv"]
    fetch.publisher.script = lambda received: Reply(status=404)
    with pytest.raises(NotPublished, match=r"acme:prices has no file for 2025-11-02 \(yet\)"):
        await fetch(None, *requests)


# --- failures that may pass -------------------------------------------------------------------------------------------

CUT = Reply(CSV, cut=10)
FAILURES = {
    "503": Reply(status=503),
    "429": Reply(status=429),
    "cut off": CUT,
    "empty": Reply(b""),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failure_that_may_pass_is_tried_again(fetch: Client, failure: str) -> None:
    fetch.publisher.replies = [FAILURES[failure], FAILURES[failure], Reply(CSV)]
    await fetch()
    assert len(fetch.publisher.received) == 3
    assert [path.suffix for path in fetch.stored] == [".csv"]


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failure_that_does_not_pass_ends_and_leaves_no_file(fetch: Client, failure: str) -> None:
    fetch.publisher.replies = [FAILURES[failure]]
    with pytest.raises(FetchFailed):
        await fetch()
    assert len(fetch.publisher.received) == 5
    assert fetch.stored == []


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (Content.ZIP, zipped()),
        (Content.JSON, b'{"data": [1, 2, 3]}\n'),
        (Content.XML, b"<?xml version='1.0'?>\n<doc><a/></doc>\n"),
        (Content.WORKBOOK, zipped("xl/workbook.xml")),
    ],
)
async def test_half_a_file_that_claims_to_be_whole_is_tried_again(fetch: Client, content: Content, whole: bytes) -> None:
    half = whole[: len(whole) // 2]
    fetch.publisher.replies = [Reply(half), Reply(whole)]
    (file,) = await fetch(PublicFiles(content=content))
    assert file.path.read_bytes() == whole
    fetch.publisher.replies = [Reply(half)]
    with pytest.raises(FetchFailed, match="cut off"):
        await fetch(PublicFiles(content=content))


async def test_a_slow_drip_ends_at_the_limit_of_time(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(drips=True)]
    with pytest.raises(FetchFailed, match=r"not complete after 0\.1 s"):
        await fetch(limits=replace(IMPATIENT, whole_s=0.1))
    assert fetch.stored == []


async def test_an_answer_without_end_stops_at_the_limit_of_size(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(drips=True)]
    with pytest.raises(TooLarge, match="limit of 3 bytes"):
        await fetch(limits=replace(IMPATIENT, most_bytes=3))
    assert fetch.stored == []


async def test_a_wait_that_the_server_names_holds_all_downloads_from_the_host(fetch: Client, clock: SteppingClock) -> None:
    fetch.publisher.replies = [Reply(status=429, headers={"Retry-After": "7"}), Reply(CSV)]
    hours = DownloadLimits(first_wait_s=3600.0, longest_wait_s=3600.0, tries=1)
    with pytest.raises(FetchFailed):
        await fetch(limits=hours)
    await fetch(limits=hours)
    assert clock.slept == [7.0]


async def test_a_server_that_names_too_long_a_wait_is_not_tried_again(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(status=503, headers={"Retry-After": "600"})]
    with pytest.raises(FetchFailed, match="asks to wait 600 s") as caught:
        await fetch()
    assert caught.value.retry_after == 600
    assert len(fetch.publisher.received) == 1


async def test_too_long_a_wait_holds_the_other_requests_to_the_host_without_sleep(fetch: Client, clock: SteppingClock) -> None:
    fetch.publisher.replies = [Reply(status=503, headers={"Retry-After": "600"}), Reply(CSV)]
    with pytest.raises(FetchFailed):
        await fetch()
    await clock.sleep(200)
    with pytest.raises(FetchFailed, match="asked to wait 400 s more") as caught:
        await fetch()
    assert caught.value.retry_after == pytest.approx(400)
    assert len(fetch.publisher.received) == 1
    await clock.sleep(400)
    assert await fetch()


# --- answers without data ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 404, 410])
async def test_a_day_without_a_file_is_not_published_and_not_tried_again(fetch: Client, status: int) -> None:
    fetch.publisher.replies = [Reply(status=status)]
    with pytest.raises(NotPublished, match="no file for 2025-11-02"):
        await fetch()
    assert len(fetch.publisher.received) == 1


async def test_a_refusal_names_the_publishers_reason(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(b'{"errors": [{"field": "x", "message": "no such feed"}]}', 400)]
    with pytest.raises(FetchRefused, match="refused the request with status 400: no such feed"):
        await fetch()
    assert len(fetch.publisher.received) == 1


PAGE = b"<!-- x --><!DOCTYPE html><html><head><title>Down for\n maintenance &amp; repair</title></head></html>"


@pytest.mark.parametrize("content", [Content.CSV, Content.XML, Content.JSON, Content.ZIP, Content.WORKBOOK, None])
async def test_a_page_with_status_200_is_no_data(fetch: Client, content: Content | None) -> None:
    fetch.publisher.replies = [Reply(PAGE)]
    with pytest.raises(NotData, match=r"a page.*titled 'Down for maintenance & repair'"):
        await fetch(PublicFiles(content=content))
    assert fetch.stored == []


async def test_a_page_is_data_where_a_publisher_offers_pages(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(PAGE)]
    (file,) = await fetch(PublicFiles(content=Content.HTML))
    assert file.path.read_bytes() == PAGE


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (Content.CSV, b"<error>no</error>"),
        (Content.CSV, b'{"error": "no"}'),
        (Content.CSV, zipped()),
        (Content.JSON, b"a,b\n1,2\n"),
        (Content.XML, b'{"error": "no"}'),
        (Content.ZIP, b"not an archive"),
        (Content.WORKBOOK, b"a,b\n1,2\n"),
    ],
)
async def test_an_answer_of_another_kind_is_refused_and_not_stored(fetch: Client, content: Content, body: bytes) -> None:
    fetch.publisher.replies = [Reply(body)]
    with pytest.raises(NotData, match="the publisher answered with"):
        await fetch(PublicFiles(content=content))
    assert fetch.stored == []


def problem(content: bytes) -> Problem | None:
    if content.startswith(b"#"):
        return Problem(content.decode(), is_absent=b"nothing" in content, is_passing=b"busy" in content)
    return None


async def test_what_a_publisher_says_in_place_of_data_is_understood(fetch: Client) -> None:
    files = PublicFiles(problem=problem)
    for status in (200, 400):
        fetch.publisher.replies = [Reply(b"#nothing today", status)]
        with pytest.raises(NotPublished, match="#nothing today"):
            await fetch(files)
        fetch.publisher.replies = [Reply(b"#bad query", status)]
        with pytest.raises(FetchRefused, match="the publisher answered: #bad query"):
            await fetch(files)
    fetch.publisher.replies = [Reply(b"#busy"), Reply(CSV)]
    assert len(await fetch(files)) == 1
    assert fetch.stored[0].read_bytes() == CSV


# --- conditional requests ---------------------------------------------------------------------------------------------


def versioned(received: Received) -> Reply:
    """Answer as a server with versions of its files: 304 for the version that the client has."""
    same = received.headers.get("if-none-match") == '"7"' or received.headers.get("if-modified-since") == "Sat, 01 Nov 2025"
    return Reply(status=304) if same else Reply(CSV, headers={"ETag": '"7"'})


async def test_a_file_that_has_not_changed_is_not_sent_again(fetch: Client) -> None:
    fetch.publisher.script = versioned
    (file,) = await fetch()
    with pytest.raises(NotModified, match="nothing newer"):
        await fetch(known=file.validators)
    with pytest.raises(NotModified):
        await fetch(known=Validators(URL, modified="Sat, 01 Nov 2025"))
    assert len(await fetch(known=Validators("https://publisher.example/other.csv", '"7"'))) == 1


# --- pages and listings -----------------------------------------------------------------------------------------------

ROWS = [f"{number},{number / 2}" for number in range(1, 6)]
CSV_PAGES = CsvPages(start="startRow", count_parameter="rowCount", size=2)
JSON_PAGES = JsonPages(records=("response", "data"), total_at=("response", "total"), offset="offset", length="length", size=2)


def csv_page(received: Received) -> Reply:
    start, count = int(received.query["startRow"]) - 1, int(received.query["rowCount"])
    return Reply("\r\n".join(["hour,price", *ROWS[start : start + count], ""]).encode())


async def test_pages_of_csv_become_one_file_with_one_header(fetch: Client) -> None:
    fetch.publisher.script = csv_page
    (file,) = await fetch(PublicFiles(), Request(f"https://{HOST}/feed?day=1", name="feed.csv", pages=CSV_PAGES))
    assert file.path.read_text().split() == ["hour,price", *ROWS]
    assert [(received.query["startRow"], received.query["day"]) for received in fetch.publisher.received] == [
        ("1", "1"),
        ("3", "1"),
        ("5", "1"),
    ]
    assert file.url == f"https://{HOST}/feed?day=1"


async def test_a_last_page_that_is_full_is_followed_by_an_empty_one(fetch: Client) -> None:
    ROWS.append("6,3.0")
    try:
        fetch.publisher.script = csv_page
        (file,) = await fetch(PublicFiles(), Request(f"https://{HOST}/feed", name="feed.csv", pages=CSV_PAGES))
    finally:
        ROWS.pop()
    assert len(file.path.read_text().split()) == 7
    assert len(fetch.publisher.received) == 4


async def test_an_answer_without_rows_is_not_published(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(b"hour,price\r\n")]
    with pytest.raises(NotPublished):
        await fetch(PublicFiles(), Request(f"https://{HOST}/feed", pages=CSV_PAGES))


async def test_a_page_with_another_header_is_no_data(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(b"hour,price\n1,2\n2,3\n"), Reply(b"hour,volume\n3,4\n")]
    with pytest.raises(NotData, match="page 2 has another header"):
        await fetch(PublicFiles(), Request(f"https://{HOST}/feed", pages=CSV_PAGES))


def json_page(records: str, total: int) -> Reply:
    return Reply(f'{{"response": {{"total": "{total}", "frequency": "hourly", "data": [{records}]}}}}'.encode())


async def test_pages_of_json_become_one_answer_with_its_frame(fetch: Client) -> None:
    fetch.publisher.replies = [json_page('{"v": 1}, {"v": 2}', 3), json_page('{"v": 3}', 3)]
    (file,) = await fetch(PublicFiles(), Request(f"https://{HOST}/v2", name="answer.json", pages=JSON_PAGES))
    assert file.path.read_text() == (
        '{"response": {"total": "3", "frequency": "hourly", "data": [{"v": 1}, {"v": 2}, {"v": 3}]}}'
    )


async def test_pages_that_do_not_add_up_are_requested_again_from_the_first(fetch: Client) -> None:
    short = [json_page('{"v": 1}, {"v": 2}', 3), json_page("", 3)]
    fetch.publisher.replies = [*short, json_page('{"v": 1}, {"v": 2}', 2)]
    (file,) = await fetch(PublicFiles(), Request(f"https://{HOST}/v2", name="answer.json", pages=JSON_PAGES))
    assert '"v": 2' in file.path.read_text()
    fetch.publisher.replies = short * 5
    with pytest.raises(FetchFailed, match="the pages hold 2 of 3 rows"):
        await fetch(PublicFiles(), Request(f"https://{HOST}/v2", pages=JSON_PAGES))


async def test_the_files_that_a_listing_names_are_downloaded(fetch: Client) -> None:
    def listed(content: bytes) -> list[Request]:
        return [Request(f"https://{HOST}/doc/{number}.csv") for number in content.decode().split()]

    fetch.publisher.script = lambda received: Reply(b"11 12") if received.path == "/list" else Reply(CSV)
    files = await fetch(PublicFiles(), Request(f"https://{HOST}/list", listing=listed))
    assert [file.path.name for file in files] == ["11.csv", "12.csv"]
    fetch.publisher.script = lambda received: Reply(b" ")
    with pytest.raises(NotPublished):
        await fetch(PublicFiles(), Request(f"https://{HOST}/list", listing=listed))


# --- redirects --------------------------------------------------------------------------------------------------------


def redirecting(publisher: Publisher, location: str, status: int = 302) -> None:
    def script(received: Received) -> Reply:
        return Reply(CSV) if received.path == "/new.csv" else Reply(status=status, headers={"Location": location})

    publisher.script = script


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_on_the_same_host_is_followed_with_the_key(fetch: Client, status: int) -> None:
    redirecting(fetch.publisher, f"/{HOST}/new.csv", status)
    await fetch(PublicFiles(needs=IN_HEADER))
    assert [received.headers.get("x-key") for received in fetch.publisher.received] == [SECRET, SECRET]
    await fetch(PublicFiles(needs=IN_ADDRESS))
    assert [received.query.get("api_key") for received in fetch.publisher.received[2:]] == [SECRET, SECRET]


@pytest.mark.parametrize("credential", [IN_HEADER, IN_ADDRESS])
async def test_a_redirect_to_another_host_does_not_carry_the_key(fetch: Client, credential: Credential) -> None:
    with publisher_on_loopback() as other:
        other.replies = [Reply(CSV)]
        location = f"http://127.0.0.1:{other.port}/elsewhere/new.csv"
        redirecting(fetch.publisher, location + ("?api_key=" + SECRET.replace("+", "%2B") if credential.parameter else ""))
        await fetch(PublicFiles(needs=credential))
        (received,) = other.received
    assert SECRET not in str(received)


async def test_a_redirect_to_another_host_with_the_key_in_its_path_is_refused(fetch: Client) -> None:
    with publisher_on_loopback() as other:
        redirecting(fetch.publisher, f"http://127.0.0.1:{other.port}/x?token={SECRET.replace('+', '%2B')}")
        with pytest.raises(FetchRefused, match="with the key in the address"):
            await fetch(PublicFiles(needs=IN_HEADER))
        assert other.received == []


async def test_redirects_end(fetch: Client) -> None:
    redirecting(fetch.publisher, f"/{HOST}/again.csv")
    with pytest.raises(FetchRefused, match="too many redirects"):
        await fetch()
    assert len(fetch.publisher.received) == 6


@pytest.mark.parametrize("private", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
async def test_a_public_publisher_cannot_redirect_into_a_private_network(
    fetch: Client, monkeypatch: pytest.MonkeyPatch, private: str
) -> None:
    async def resolved(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34"] if port == fetch.publisher.port else await system_lookup(host, port)

    monkeypatch.setattr("aurum.pipelines.fetch.client.system_lookup", resolved)  # the publisher has a public address
    with publisher_on_loopback() as inside:
        redirecting(fetch.publisher, f"http://{private}:{inside.port}/{HOST}/new.csv")
        with pytest.raises(FetchRefused, match="is in a private network; AURUM_FETCH__ALLOW_PRIVATE=true allows it"):
            await fetch()
        assert inside.received == []


async def test_a_setting_allows_redirects_into_private_networks(fetch: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_lookup(host: str, port: int) -> Sequence[str]:
        raise AssertionError

    monkeypatch.setattr("aurum.pipelines.fetch.client.system_lookup", no_lookup)
    with publisher_on_loopback() as inside:
        inside.replies = [Reply(CSV)]
        redirecting(fetch.publisher, f"http://127.0.0.1:{inside.port}/{HOST}/new.csv")
        await fetch(settings=SETTINGS.model_copy(update={"allow_private": True}))
        assert inside.paths == ["/new.csv"]


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_a_missing_key_names_the_setting_and_where_to_request_one(fetch: Client) -> None:
    for settings in (FetchSettings(), FetchSettings(keys={"acme": SecretStr(" ")})):
        with pytest.raises(MissingCredential, match=r"AURUM_FETCH__KEYS is not set.*https://acme\.example/keys"):
            await fetch(PublicFiles(needs=IN_HEADER), settings=settings)
    assert fetch.publisher.received == []


@pytest.mark.parametrize("key", ["two words of it", "line\nbreak-of-it", "schlüssel-mit-ü", "short"])
async def test_a_text_that_is_no_key_is_not_sent_and_not_shown(fetch: Client, key: str) -> None:
    with pytest.raises(MissingCredential, match="is not a key") as caught:
        await fetch(PublicFiles(needs=IN_HEADER), settings=FetchSettings(keys={"acme": SecretStr(key)}))
    assert key not in str(caught.value)
    assert fetch.publisher.received == []


async def test_a_refused_key_names_its_setting(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(b'{"message": "Access denied"}', 401)]
    with pytest.raises(FetchRefused, match="refused the key of AURUM_FETCH__KEYS with status 401: Access denied"):
        await fetch(PublicFiles(needs=IN_HEADER))


@pytest.fixture
def debug_log() -> Iterator[None]:
    """The log of a process at its most talkative level, on standard error."""
    names = (None, "alembic", "httpx", "httpcore", "asyncio", "asyncpg.pool")
    levels = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers[:]
    configure_logging(LoggingSettings(level="DEBUG"))
    yield
    logging.getLogger().handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("credential", [IN_HEADER, IN_ADDRESS])
async def test_a_key_is_in_no_error_log_span_address_name_or_file(
    fetch: Client, capsys: pytest.CaptureFixture[str], debug_log: None, credential: Credential
) -> None:
    """Every way in which a publisher or a library could repeat the key: statuses, bodies, redirects, broken answers."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    echo = f'{{"request": {{"api_key": "{SECRET}"}}, "error": "key {SECRET} of s3cret%2Bkey%2Fof%3Dacme"}}'.encode()
    name = {"Content-Disposition": f'attachment; filename="{SECRET.replace("/", "")}.csv"'}
    replies = [
        Reply(echo),
        Reply(CSV, headers=name),
        Reply(echo, 400),
        Reply(echo, 401),
        Reply(echo, 500),
        Reply(b"<html><title>" + SECRET.encode() + b"</title></html>"),
        Reply(CSV, cut=5),
        Reply(status=302, headers={"Location": f"http://127.0.0.1:1/?key={SECRET}"}),
        Reply(status=302, headers={"Location": f"http://[{SECRET}"}),
    ]
    said: list[str] = []
    try:
        for reply in replies:
            fetch.publisher.replies = [reply]
            try:
                request = Request(f"https://{HOST}/answer")
                files = await fetch(PublicFiles(needs=credential), request, limits=replace(IMPATIENT, tries=2))
                said += [f"{file.path} {file.url} {file.validators} {file.path.read_text()}" for file in files]
            except AurumError as error:
                said += [*traceback.format_exception(error), str(error.facts), error.operator_detail]
    finally:
        instrumentor.uninstrument()
    texts = [
        *said,
        capsys.readouterr().err,
        *(span.to_json() or "" for span in exporter.get_finished_spans()),
    ]
    assert any(
        received.headers.get("x-key") == SECRET or received.query.get("api_key") == SECRET
        for received in fetch.publisher.received
    )
    spellings = ("s3cret", "of=acme", "of%3Dacme")
    leaks = [text[:300] for text in texts if any(spelling in text for spelling in spellings)]
    assert leaks == []
    assert any('{"request": {"api_key": "***"}, "error": "key *** of ***"}' in text for text in said)


# --- politeness -------------------------------------------------------------------------------------------------------


async def test_requests_to_a_host_wait_for_their_turn_across_fetchers_and_processes(
    publisher: Publisher, tmp_path: Path, clock: SteppingClock
) -> None:
    rule = Politeness(HOST, 5.0, "a manual")
    for _ in range(2):  # two sets of turns over one folder, as of two processes
        client = Client(publisher, tmp_path, clock)
        client.turns = Turns(tmp_path / "turns", clock, [rule], seconds={}, sleep=clock.sleep)
        await client(None, Request(URL), Request(f"https://{HOST}/second.csv"))
    assert clock.slept == [5.0, 5.0, 5.0]


async def test_a_retry_waits_for_its_turn_too(publisher: Publisher, tmp_path: Path, clock: SteppingClock) -> None:
    client = Client(publisher, tmp_path, clock)
    client.turns = Turns(tmp_path / "turns", clock, [], seconds={HOST: 3.0}, sleep=clock.sleep)
    publisher.replies = [Reply(status=503), Reply(CSV)]
    await client()
    assert clock.slept == [3.0]


# --- datasets ---------------------------------------------------------------------------------------------------------


def downloads(publisher: Publisher, folder: Path, clock: SteppingClock, settings: FetchSettings | None = None) -> Downloads:
    turns = Turns(folder / "turns", clock, [], seconds={}, sleep=clock.sleep)
    return Downloads(
        own_registry(),
        settings or FetchSettings(),
        folder / "files",
        clock,
        turns,
        address=publisher.address,
        limits=IMPATIENT,
    )


async def run(client: Downloads, source: str, dataset: str, *days: date) -> list[Downloaded]:
    return [result async for result in client.run(client.plan(source, dataset, days))]


async def test_days_that_are_not_published_are_part_of_the_result(
    publisher: Publisher, tmp_path: Path, clock: SteppingClock
) -> None:
    publisher.script = lambda received: Reply(status=404) if "20251103" in received.path else Reply(CSV)
    results = await run(downloads(publisher, tmp_path, clock), "nyiso", "damlbmp_zone", DAY, date(2025, 11, 3))
    assert [result.outcome for result in results] == [FetchOutcome.DOWNLOADED, FetchOutcome.NOT_PUBLISHED]


async def test_a_dataset_without_public_files_says_why(publisher: Publisher, tmp_path: Path, clock: SteppingClock) -> None:
    with pytest.raises(NoPublicFile, match="pjm:pjme_hourly cannot be downloaded, because Kaggle"):
        downloads(publisher, tmp_path, clock).plan("pjm", "pjme_hourly", [DAY])


async def test_an_unknown_dataset_is_answered_with_the_nearest(
    publisher: Publisher, tmp_path: Path, clock: SteppingClock
) -> None:
    with pytest.raises(UnknownName, match="damlbmp_zone"):
        downloads(publisher, tmp_path, clock).plan("nyiso", "damlbmp_zon", [DAY])
