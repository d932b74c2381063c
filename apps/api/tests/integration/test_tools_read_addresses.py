"""Polars, pandas and DuckDB read the addresses of a running service, also while its data change between two ranges."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pandas as pd
import polars as pl
import pytest
import pytest_asyncio
from api_duckdb import DuckDb, NotInstalled, old_duckdb
from api_processes import api_process
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.main import create_app
from aurum.api.testing import InventedSeries, file_of
from aurum.api.testing.listening import listening
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, DatabaseSettings, Settings, SpoolSettings
from aurum.core.access import Role
from aurum.services.access import NewKey, create_key, create_tenant
from aurum.storage.ports.access import Actor
from aurum.storage.testing.stores import PostgresStore

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_process]

OPERATOR = Actor("operator")
KEY = "invented:states:1:load"
HOURS = 40_000
START = datetime(2020, 1, 1, tzinfo=UTC)
SCALE = 1_000
"""A value is its state times this number, and a fraction that makes the file too long for one range."""


def state(number: int) -> InventedSeries:
    """Return all values of the series in one state."""
    draw = random.Random(1)
    known_at = START + timedelta(seconds=number)
    rows = [(START + n * timedelta(hours=1), number * SCALE + draw.random(), known_at, 0) for n in range(HOURS)]
    return InventedSeries(KEY, "MW", "1h", "UTC", None, rows)


@dataclass
class Meddler:
    """Pure ASGI around the service: changes all data before the second request for an address that it watches."""

    app: ASGIApp
    change: Callable[[], Awaitable[None]]
    loop: asyncio.AbstractEventLoop
    watched: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.watched and self.watched in scope["query_string"].decode():
            requested_range = next((value.decode() for name, value in scope["headers"] if name == b"range"), "")
            self.requests.append((scope["method"], requested_range))
            if len(self.requests) == 2:
                # The store belongs to the loop of the test.
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._changed(), self.loop))
        await self.app(scope, receive, send)

    async def _changed(self) -> None:
        await self.change()


@dataclass
class Running:
    """The service. ``secret``: an API key. ``states``: number of states that the store has had."""

    url: str
    secret: str
    meddler: Meddler
    states: int = 1

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}

    def address(self, form: str, *, end_hours: int = 0) -> str:
        """Return the path and query of all rows; another ``end_hours`` makes another address of the same rows."""
        end = START + timedelta(hours=HOURS + end_hours)
        return f"/v2/observations?series={KEY}&end={end:%Y-%m-%dT%H:%M:%SZ}&format={form}"

    def link(self, address: str) -> str:
        response = httpx.post(
            f"{self.url}/v2/links", json={"query": address}, headers=self.headers, trust_env=False, timeout=300
        )
        assert response.status_code == 201, response.text
        return response.json()["data"]["url"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service(
    shared_database_url: str, shared_postgres_store: PostgresStore, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    store = shared_postgres_store
    await store.loader.load(file_of(state(1)))
    await create_tenant(store.transactions, "tools-desk", "Desk", "enterprise", by=OPERATOR)
    new = NewKey("tools-desk", "reader", (Role.USER,))
    key = await create_key(store.transactions, new, by=OPERATOR, now=SystemClock().now())
    settings = Settings(
        database=DatabaseSettings(url=shared_database_url, pool_size=4, statement_timeout_s=300.0),
        access=AccessSettings(mode="required"),
        spool=SpoolSettings(folder=tmp_path_factory.mktemp("spool")),
    )

    async def change() -> None:
        running.states += 1
        await store.loader.load(file_of(state(running.states), content=str(running.states)))

    meddler = Meddler(create_app(settings), change, asyncio.get_running_loop())
    with listening(settings, meddler) as url:
        running = Running(url, key.text, meddler)
        yield running


@pytest.fixture(scope="module")
def duckdb() -> Iterator[DuckDb]:
    try:
        with old_duckdb() as running:
            yield running
    except NotInstalled as error:
        pytest.skip(str(error))


Read = Callable[[Running, str], pl.DataFrame]


def through_duckdb(function: str) -> Callable[[DuckDb, Running, str], pl.DataFrame]:
    def read(duckdb: DuckDb, service: Running, address: str) -> pl.DataFrame:
        duckdb.run(
            f"CREATE OR REPLACE SECRET aurum (TYPE http, EXTRA_HTTP_HEADERS MAP {{'Authorization': 'Bearer {service.secret}'}})"
        )
        rows = duckdb.run(f"SELECT series, value FROM {function}('{service.url}{address}')")
        return pl.DataFrame(rows, schema=["series", "value"], orient="row")

    return read


READERS: dict[str, tuple[str, Read]] = {
    "pl.read_parquet": ("parquet", lambda service, address: pl.read_parquet(service.link(address))),
    "pl.scan_parquet": ("parquet", lambda service, address: pl.scan_parquet(service.link(address)).collect()),
    "pl.read_csv": ("csv", lambda service, address: pl.read_csv(service.link(address))),
    "pl.scan_csv": ("csv", lambda service, address: pl.scan_csv(service.link(address)).collect()),
    "pl.scan_ndjson": ("ndjson", lambda service, address: pl.scan_ndjson(service.link(address)).collect()),
    "pl.read_ipc_stream": ("arrow", lambda service, address: pl.read_ipc_stream(service.link(address))),
    "pd.read_parquet": (
        "parquet",
        lambda service, address: pl.from_pandas(pd.read_parquet(service.url + address, storage_options=service.headers)),
    ),
    "pd.read_csv": (
        "csv",
        # Without that word pandas reads some numbers as their neighbours.
        lambda service, address: pl.from_pandas(
            pd.read_csv(service.url + address, storage_options=service.headers, float_precision="round_trip")
        ),
    ),
}
DUCKDB = {"read_parquet": "parquet", "read_csv": "csv"}


async def expected(service: Running, form: str, end_hours: int) -> pl.DataFrame:
    async with httpx.AsyncClient(trust_env=False, timeout=300) as client:
        response = await client.get(service.url + service.address(form, end_hours=end_hours), headers=service.headers)
    assert response.status_code == 200, response.text
    content = io.BytesIO(response.content)
    readers = {"parquet": pl.read_parquet, "csv": pl.read_csv, "ndjson": pl.read_ndjson, "arrow": pl.read_ipc_stream}
    return readers[form](content)


def key_and_value(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col("series").cast(pl.String), "value")


@pytest.mark.parametrize("name", READERS)
async def test_a_reader_gets_all_rows_of_an_address(service: Running, name: str) -> None:
    form, read = READERS[name]
    frame = await asyncio.to_thread(read, service, service.address(form, end_hours=1))
    assert frame.height == HOURS
    assert key_and_value(frame).equals(key_and_value(await expected(service, form, end_hours=2)))


@pytest.mark.parametrize("function", DUCKDB)
async def test_duckdb_gets_all_rows_of_an_address_with_a_key_in_a_secret(
    service: Running, duckdb: DuckDb, function: str
) -> None:
    form = DUCKDB[function]
    frame = await asyncio.to_thread(through_duckdb(function), duckdb, service, service.address(form, end_hours=3))
    assert frame.height == HOURS
    assert key_and_value(frame).equals(key_and_value(await expected(service, form, end_hours=4)))


def one_state(frame: pl.DataFrame) -> float:
    """Return the state of all values of a frame. Fails when they belong to several."""
    assert frame.height == HOURS
    (number,) = (frame["value"] // SCALE).unique().to_list()
    return number


@pytest.mark.parametrize("name", [name for name in READERS if name.startswith(("pl.read_p", "pl.read_c", "pl.scan"))])
async def test_a_file_belongs_to_one_state_although_all_data_change_between_its_ranges(service: Running, name: str) -> None:
    form, read = READERS[name]
    await read_while_changing(service, form, lambda address: read(service, address), list(READERS).index(name))


@pytest.mark.parametrize("function", DUCKDB)
async def test_duckdb_reads_one_state_although_all_data_change_between_its_ranges(
    service: Running, duckdb: DuckDb, function: str
) -> None:
    read = through_duckdb(function)
    await read_while_changing(
        service, DUCKDB[function], lambda address: read(duckdb, service, address), 20 + list(DUCKDB).index(function)
    )


async def read_while_changing(service: Running, form: str, read: Callable[[str], pl.DataFrame], number: int) -> None:
    address = service.address(form, end_hours=100 + number)
    before = service.states
    service.meddler.watched, service.meddler.requests = urlsplit(address).query.partition("&")[2], []
    try:
        frame = await asyncio.to_thread(read, address)
    finally:
        service.meddler.watched = ""
    assert len(service.meddler.requests) >= 2, "one request reads all: nothing was shown"
    assert service.states == before + 1
    assert one_state(frame) == before
    assert one_state(await expected(service, form, end_hours=200 + number)) == before + 1


async def test_the_processes_of_a_machine_serve_one_file(shared_database_url: str, service: Running, tmp_path: Path) -> None:
    """Ranges that reach two processes at once, while the data change, are parts of one file, which is made once."""
    folder = tmp_path / "spool"
    with (
        api_process(shared_database_url, AURUM_SPOOL__FOLDER=str(folder)) as one,
        api_process(shared_database_url, AURUM_SPOOL__FOLDER=str(folder)) as other,
    ):
        address = service.address("parquet", end_hours=500)
        before = service.states
        async with httpx.AsyncClient(trust_env=False, timeout=300) as client:

            async def part(number: int) -> httpx.Response:
                span = f"bytes={number * 25_000}-{number * 25_000 + 24_999}"
                return await client.get((one, other)[number % 2] + address, headers={"range": span})

            parts = list(await asyncio.gather(*map(part, range(12))))
            await service.meddler.change()
            length = int(parts[0].headers["content-range"].rpartition("/")[2])
            parts += await asyncio.gather(*map(part, range(12, length // 25_000 + 1)))
    assert {each.status_code for each in parts} == {206}
    assert len({each.headers["etag"] for each in parts}) == 1
    whole = b"".join(each.content for each in parts)
    assert len(whole) == length
    assert one_state(pl.read_parquet(io.BytesIO(whole))) == before
    assert len([each for each in folder.rglob("*") if each.is_file()]) == 1
