"""HEAD and Range of bulk reads: one state of the data for a minute, for one caller; plain reads stream as ever."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pyarrow.parquet as pq
import pytest

from aurum.api.testing import InMemory, MovableClock, Served, changed, file_of, hourly, on_clock, serving
from aurum.assembly.store import StoreParts
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, ApiSettings, Settings, SpoolSettings
from aurum.core.access import Role
from aurum.core.asof import Span
from aurum.core.errors import Unavailable
from aurum.core.series.points import Points
from aurum.services.access import NewKey, create_key, create_tenant
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.observations import SeriesReader

OPERATOR = Actor("operator")
KEY = "nyiso:damlbmp_zone:61761:lmp"
START = datetime(2025, 11, 3, tzinfo=UTC)
HOURS = 48
ONE, MANY = f"/v2/series/{KEY}/observations", f"/v2/observations?series={KEY}"
REVISIONS = f"/v2/series/{KEY}/revisions"
READS = [f"{ONE}?", f"{MANY}&", f"{REVISIONS}?", f"{MANY}&layout=wide&", f"{REVISIONS}?layout=vintages&", f"{ONE}?basis=true&"]
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "ndjson": "application/x-ndjson",
}
CSV = f"{ONE}?format=csv"


@dataclass
class World:
    """A service over a store in memory, whose data a test changes."""

    store: MemoryStore
    opened: InMemory
    served: Served
    clock: MovableClock
    states: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    async def change(self) -> None:
        """Give every hour another value."""
        self.states += 1
        values = [1_000.0 * self.states + n for n in range(HOURS)]
        known_at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=self.states)
        await self.store.loader.load(file_of(hourly(KEY, START, values, known_at=known_at), content=str(self.states)))
        series = (await self.store.catalog.series_by_key([KEY]))[KEY]
        await self.opened.feed.publish(Change(ChangeKind.SERIES, (str(series.series_id),)))

    async def get(self, url: str, **headers: str) -> httpx.Response:
        return await self.served.client.get(url, headers={**self.headers, **named(headers)})

    async def head(self, url: str, **headers: str) -> httpx.Response:
        return await self.served.client.head(url, headers={**self.headers, **named(headers)})


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def world_of(
    folder: Path, *, access: str = "open", document_rows: int = 200_000, **limits: float
) -> AsyncGenerator[World]:
    clock = MovableClock(datetime(2026, 11, 29, 12, tzinfo=UTC))
    store = MemoryStore(SystemClock())
    opened = InMemory(store)
    settings = Settings(
        access=AccessSettings.model_validate({"mode": access}),
        api=ApiSettings(document_rows=document_rows),
        spool=SpoolSettings.model_validate({"folder": folder / "spool", **limits}),
    )
    async with serving(settings, on_clock(opened, clock)) as served:
        world = World(store, opened, served, clock)
        await world.change()
        yield world


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("form", FORMATS)
async def test_head_tells_the_length_of_what_ranges_add_up_to(tmp_path: Path, read: str, form: str) -> None:
    async with world_of(tmp_path) as world:
        url = f"{read}format={form}"
        plain = await world.get(url, accept_encoding="identity")
        head = await world.head(url)
        assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", FORMATS[form])
        assert head.headers["accept-ranges"] == "bytes"
        assert "content-encoding" not in head.headers
        assert not head.headers["etag"].startswith("W/")
        length = int(head.headers["content-length"])
        parts = [await world.get(url, range=f"bytes={first}-{first + 99}") for first in range(0, length, 100)]
        assert {part.status_code for part in parts} == {206}
        assert {part.headers["etag"] for part in parts} == {head.headers["etag"]}
        assert parts[0].headers["content-range"] == f"bytes 0-{min(99, length - 1)}/{length}"
        assert parts[0].headers["content-length"] == str(len(parts[0].content))
        assert b"".join(part.content for part in parts) == plain.content
        tail = await world.get(url, range="bytes=-50")
        assert (tail.status_code, tail.content) == (206, plain.content[-50:])
        assert tail.headers["content-range"] == f"bytes {length - 50}-{length - 1}/{length}"
        rest = await world.get(url, range="bytes=50-")
        assert rest.content == plain.content[50:]


async def test_the_accept_header_leads_to_a_file_as_the_parameter_does(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        head = await world.head(ONE, accept="application/vnd.apache.parquet")
        part = await world.get(ONE, accept="application/vnd.apache.parquet", range="bytes=0-3")
        assert (head.headers["content-type"], part.content) == (FORMATS["parquet"], b"PAR1")
        text = await world.get(ONE, accept="text/csv", range="bytes=0-4")
        assert text.content == b"start"


async def test_all_parts_belong_to_one_state_for_a_minute_and_then_to_the_new_one(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        before = await world.get(CSV, range="bytes=0-199")
        await world.change()
        world.clock.at += timedelta(seconds=59)
        after = await world.get(CSV, range="bytes=200-")
        assert before.headers["etag"] == after.headers["etag"]
        assert after.headers["age"] == "59"
        frame = pl.read_csv(io.BytesIO(before.content + after.content))
        assert frame["value"].to_list() == [1_000.0 + n for n in range(HOURS)]
        assert (await world.head(CSV)).headers["etag"] == before.headers["etag"]
        whole = await world.get(CSV)
        assert whole.content == before.content + after.content
        assert whole.headers["etag"] == before.headers["etag"]
        world.clock.at += timedelta(seconds=1)
        new = await world.get(CSV, range="bytes=0-")
        assert new.headers["etag"] != before.headers["etag"]
        assert pl.read_csv(io.BytesIO(new.content))["value"][0] == 2_000.0


async def test_a_cached_answer_that_is_newer_does_not_replace_the_file_of_a_caller(tmp_path: Path) -> None:
    async with world_of(tmp_path, access="required") as world:
        await with_tenants(world)
        acme, bolt = await key_for(world, "acme"), await key_for(world, "bolt")
        head = await world.head(CSV, authorization=acme)
        await world.change()
        cached = [await world.get(CSV, authorization=bolt) for _ in range(2)]
        assert cached[1].headers["x-cache"] == "hit"
        own = await world.get(CSV, authorization=acme)
        assert (own.headers["etag"], len(own.content)) == (head.headers["etag"], int(head.headers["content-length"]))
        assert pl.read_csv(io.BytesIO(cached[1].content))["value"][0] == 2_000.0


async def test_a_plain_get_streams_as_ever_and_makes_no_file(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        for url in (CSV, f"{MANY}&format=parquet"):
            response = await world.get(url, accept_encoding="gzip")
            assert "accept-ranges" not in response.headers
        assert files(tmp_path) == []


@pytest.mark.parametrize(
    "header", ["bytes=0-1,5-9", "bytes=0-,0-,0-", "bytes=9-0", "rows=0-9", "bytes=", "x", "bytes=" + "0-1," * 9_000]
)
async def test_a_range_that_is_malformed_or_manifold_is_ignored(tmp_path: Path, header: str) -> None:
    async with world_of(tmp_path) as world:
        plain, ranged = await world.get(CSV), await world.get(CSV, range=header)
        assert (ranged.status_code, ranged.content) == (200, plain.content)
        assert "content-range" not in ranged.headers
        assert files(tmp_path) == []


@pytest.mark.parametrize("url", [ONE, MANY, "/v2/catalog/sources", f"/v2/series/{KEY}", f"{ONE}?format=json", "/live"])
async def test_a_range_of_a_document_is_ignored(tmp_path: Path, url: str) -> None:
    async with world_of(tmp_path) as world:
        for _ in range(2):
            ranged = await world.get(url, range="bytes=0-9")
            assert (ranged.status_code, ranged.content) == (200, (await world.get(url)).content)
        assert (await world.head(url)).status_code == 200
        assert files(tmp_path) == []


async def test_a_range_beyond_the_end_is_416_with_the_length(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        length = int((await world.head(CSV)).headers["content-length"])
        for header in (f"bytes={length}-", "bytes=99999999999999-", "bytes=-0"):
            refused = await world.get(CSV, range=header)
            assert refused.status_code == 416
            assert refused.headers["content-range"] == f"bytes */{length}"
            assert (refused.json()["type"], refused.json()["length"]) == ("/problems/range-not-satisfiable", length)
        last = await world.get(CSV, range=f"bytes={length - 1}-{length + 5}")
        assert (last.status_code, last.content) == (206, b"\n")


async def test_an_empty_answer_has_no_ranges(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        url = f"{ONE}?format=ndjson&end=2000-01-01"
        assert (await world.head(url)).headers["content-length"] == "0"
        assert (await world.get(url, range="bytes=0-9")).status_code == 416


async def test_conditions_are_honoured(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        tag = (await world.head(CSV)).headers["etag"]
        part = {"range": "bytes=0-9"}
        assert (await world.get(CSV, **part, if_match=tag)).status_code == 206
        assert (await world.get(CSV, **part, if_match=f'"other", {tag}')).status_code == 206
        assert (await world.get(CSV, **part, if_match="*")).status_code == 206
        assert (await world.get(CSV, **part, if_range=tag)).status_code == 206
        for other in ('"other"', f"W/{tag}", "Wed, 21 Oct 2026 07:28:00 GMT"):
            whole = await world.get(CSV, **part, if_range=other)
            assert (whole.status_code, "content-range" in whole.headers) == (200, False)
        for headers in ({"if_match": '"other"'}, {"if_match": f"W/{tag}"}, {"if_match": '"other"', **part}):
            refused = await world.get(CSV, **headers)
            assert (refused.status_code, refused.json()["type"]) == (412, "/problems/precondition-failed")
        assert (await world.head(CSV, if_match='"other"')).status_code == 412
        for headers in ({}, part):
            same = await world.get(CSV, **headers, if_none_match=tag)
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        assert (await world.head(CSV, if_none_match=f"W/{tag}")).status_code == 304
        assert (await world.get(CSV, **part, if_none_match='"other"')).status_code == 206


async def test_the_tag_of_a_streamed_answer_says_that_the_file_is_the_same(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        streamed = await world.get(CSV, accept_encoding="gzip")
        assert streamed.headers["etag"].endswith('-gzip"')
        assert (await world.head(CSV, if_none_match=streamed.headers["etag"])).status_code == 304
        await world.change()
        world.clock.at += timedelta(seconds=61)
        assert (await world.head(CSV, if_none_match=streamed.headers["etag"])).status_code == 200


async def with_tenants(world: World) -> None:
    for tenant in ("acme", "bolt"):
        await create_tenant(world.store.transactions, tenant, tenant, "basic", by=OPERATOR)


async def key_for(world: World, tenant: str) -> str:
    new = NewKey(tenant, "k", (Role.USER,))
    return f"Bearer {(await create_key(world.store.transactions, new, by=OPERATOR, now=world.clock.now())).text}"


async def test_each_credential_has_files_of_its_own(tmp_path: Path) -> None:
    async with world_of(tmp_path, access="required") as world:
        await with_tenants(world)
        keys = [await key_for(world, "acme"), await key_for(world, "acme"), await key_for(world, "bolt")]
        values = []
        for key in keys:
            values.append(
                pl.read_csv(io.BytesIO((await world.get(CSV, authorization=key, range="bytes=0-")).content))["value"][0]
            )
            await world.change()
        assert values == [1_000.0, 2_000.0, 3_000.0]
        assert len(files(tmp_path)) == 3
        assert len({path.parent for path in files(tmp_path)}) == 2
        for headers in ({}, {"authorization": keys[0][:-1] + "x"}):
            assert (await world.get(CSV, range="bytes=0-9", **headers)).status_code == 401
            assert (await world.head(CSV, **headers)).status_code == 401


async def test_eleven_ranges_at_once_make_one_file(tmp_path: Path) -> None:
    reads = 0

    def counted(store: StoreParts) -> StoreParts:
        return replace(store, observations=replace(store.observations, reader=Counting(store.observations.reader)))

    class Counting:
        def __init__(self, reader: SeriesReader) -> None:
            self._reader = reader

        def __getattr__(self, name: str) -> object:
            return getattr(self._reader, name)

        async def points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> Points:
            nonlocal reads
            reads += 1
            await asyncio.sleep(0)
            return await self._reader.points(series_id, span=span, as_of=as_of)

    store = MemoryStore(SystemClock())
    await store.loader.load(file_of(hourly(KEY, START, map(float, range(HOURS)))))
    settings = Settings(spool=SpoolSettings(folder=tmp_path / "spool"))
    async with serving(settings, changed(InMemory(store), counted)) as served:
        answers: Sequence[httpx.Response] = await asyncio.gather(
            *(served.client.get(CSV, headers={"range": f"bytes={n}-{n}"}) for n in range(11))
        )
        assert {answer.status_code for answer in answers} == {206}
        assert len({answer.headers["etag"] for answer in answers}) == 1
        assert (reads, len(files(tmp_path))) == (1, 1)


async def test_an_answer_that_is_too_long_is_413_with_the_way_out_and_streams(tmp_path: Path) -> None:
    async with world_of(tmp_path, answer_bytes=1_000) as world:
        for _ in range(2):
            refused = await world.get(CSV, range="bytes=0-9")
            assert (refused.status_code, refused.json()["limit"]) == (413, 1_000)
            assert refused.json()["type"] == "/problems/answer-too-large"
            assert "GET without Range" in refused.json()["detail"]
            assert (await world.head(CSV)).status_code == 413
            plain = await world.get(CSV)
            assert (plain.status_code, plain.content.count(b"\n")) == (200, HOURS + 1)


async def test_a_tenant_with_many_files_is_429_and_streams(tmp_path: Path) -> None:
    async with world_of(tmp_path, tenant_bytes=200_000) as world:
        statuses = [(await world.head(f"{CSV}&end=2025-11-03T{hour:02}:00:00Z")).status_code for hour in range(1, 8)]
        assert statuses[:2] == [200, 200]
        assert set(statuses[3:]) == {429}
        refused = await world.get(f"{CSV}&end=2025-11-03T20:00:00Z", range="bytes=0-9")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        assert "GET without Range" in refused.json()["detail"]
        assert (await world.get(f"{CSV}&end=2025-11-03T20:00:00Z")).status_code == 200
        world.clock.at += timedelta(seconds=60)
        assert (await world.get(f"{CSV}&end=2025-11-03T20:00:00Z", range="bytes=0-9")).status_code == 206


async def test_a_folder_that_cannot_be_written_is_503_and_reads_stream(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    async with world_of(tmp_path) as world:
        for url in (CSV, f"{MANY}&format=parquet"):
            refused = await world.get(url, range="bytes=0-9")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
            assert str(tmp_path) not in refused.text
            assert (await world.head(url)).status_code == 503
            assert (await world.get(url)).status_code == 200


async def test_a_disk_that_is_full_is_503_leaves_no_file_and_reads_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _data: bytes, _position: int) -> int:
        raise OSError(28, "No space left on device")

    async with world_of(tmp_path) as world:
        with monkeypatch.context() as patch:
            patch.setattr("aurum.api.spool.folder.os.pwrite", full)
            assert (await world.get(CSV, range="bytes=0-9")).status_code == 503
            assert (await world.get(CSV)).status_code == 200
        assert files(tmp_path) == []
        assert (await world.get(CSV, range="bytes=0-9")).status_code == 206


async def test_a_read_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    is_broken = True

    class Breaking:
        def __init__(self, reader: SeriesReader) -> None:
            self._reader = reader

        def __getattr__(self, name: str) -> object:
            return getattr(self._reader, name)

        async def stream(
            self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
        ) -> AsyncGenerator[pl.DataFrame]:
            async for frame in self._reader.stream(series_ids, span=span, as_of=as_of):
                yield frame.head(10)
                if is_broken:
                    raise Unavailable("the store has gone", retry_after=1.0)
                yield frame.slice(10)

    def breaking(store: StoreParts) -> StoreParts:
        return replace(store, observations=replace(store.observations, reader=Breaking(store.observations.reader)))

    store = MemoryStore(SystemClock())
    await store.loader.load(file_of(hourly(KEY, START, map(float, range(HOURS)))))
    settings = Settings(spool=SpoolSettings(folder=tmp_path / "spool"))
    async with serving(settings, changed(InMemory(store), breaking)) as served:
        url = f"{MANY}&format=parquet"
        broken = await served.client.get(url, headers={"range": "bytes=-100"})
        assert (broken.status_code, broken.json()["type"]) == (503, "/problems/unavailable")
        assert files(tmp_path) == []
        is_broken = False
        assert (await served.client.get(url, headers={"range": "bytes=-100"})).status_code == 206
        whole = await served.client.get(url, headers={"range": "bytes=0-"})
        assert pq.read_table(io.BytesIO(whole.content)).num_rows == HOURS


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/v2/series/a:b:c:d/observations?format=csv", 404),
        (f"{ONE}?format=csv&format=parquet", 422),
        (f"{ONE}?format=csv&start=nonsense", 422),
        (f"{ONE}?format=xml", 422),
        ("/v2/observations?format=parquet", 422),
        ("/v2/series/../../etc/passwd/observations?format=csv", 404),
    ],
)
async def test_a_wrong_request_is_the_same_problem_with_a_range_and_leaves_no_file(
    tmp_path: Path, url: str, status: int
) -> None:
    async with world_of(tmp_path) as world:
        plain, ranged = await world.get(url), await world.get(url, range="bytes=0-9")
        assert (plain.status_code, ranged.status_code, (await world.head(url)).status_code) == (status, status, status)
        assert ranged.json()["detail"] == plain.json()["detail"]
        assert files(tmp_path) == []


async def test_a_range_counts_as_one_request_of_the_plan(tmp_path: Path) -> None:
    async with world_of(tmp_path, access="required") as world:
        await with_tenants(world)
        key = await key_for(world, "acme")
        left = [
            int((await world.get(CSV, authorization=key, range=f"bytes={n}-{n}")).headers["ratelimit-remaining"])
            for n in range(3)
        ]
        assert [left[0] - one for one in left] == [0, 1, 2]
