"""Forward curves: builds, shapes, strips, histories, differences, workbooks and settlement files, each against its limit.

The prototypes whose figures the note repeats were measured on one core, in process, without a service or a store.
"""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pyarrow as pa

from aurum.common.contracts import contracts_directory
from aurum.core.curves.build import BuildQuote, build_curve
from aurum.core.curves.calendars import default_delivery_calendars
from aurum.core.curves.grids import Resolution, make_grid
from aurum.pipelines.declarations import declare_catalog, declare_products
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from bench.figures.curve_files import (
    LAST,
    add_products,
    broker_workbook,
    key_of,
    months_file,
    quotes_file,
    sessions,
    settlement_file,
    spot_file,
    ten_years,
)
from bench.harness import Figure, limit, side_by_side, timed
from bench.scale import Scale
from bench.servers import serving_api
from bench.stage import Stage

NOTE = (
    "prototypes of curves: smooth build 1.1 ms in process, arithmetic of an hourly shape 0.4 ms, workbook parsed in 0.45 s; "
    "the rest of the table had none. Charts are measured by the group pictures"
)
_FIRST = date(2024, 1, 1)
_HOURS = 87_672
"""Hours of the ten years from 2024 to 2033."""
_CURVES, _DATES = 300, 900


async def measure(stage: Stage, scale: Scale, shared: Path) -> tuple[list[Figure], list[str]]:
    """Measure an empty store that this fills. ``shared``: a folder with real files, which may be absent."""
    registry = default_registry()
    await declare_catalog(registry, stage.store.catalog_writer)
    await declare_products(stage.store.transactions)
    curves, dates = (_CURVES, _DATES) if scale.rounds > 1 else (20, 60)
    await add_products(stage, curves + 1)
    periods = ten_years(_FIRST)
    keys = [key_of(number) for number in range(curves)]
    await stage.store.loader.load(quotes_file(keys, sessions(2), periods, name="all"))
    await stage.store.loader.load(quotes_file(keys[:1], sessions(dates)[:-2], periods, name="one"))
    await stage.store.loader.load(months_file(key_of(curves), sessions(dates)))
    await stage.store.loader.load(spot_file(weeks=53))
    figures = [_in_process(periods, scale)]
    with serving_api(stage.url, AURUM_CACHE__ENABLED="false", AURUM_LIMITS__SLOW_START="0") as api:
        figures += _served(api.url, scale, curves, dates)
    figures += await _files(stage, scale, shared)
    return figures, [NOTE]


def _in_process(periods: list[tuple[date, date]], scale: Scale) -> Figure:
    calendar = next(one for one in default_delivery_calendars() if one.name == "eu_power")
    grid = make_grid(calendar, periods[0][0], periods[-1][1], Resolution.DAY)
    quotes = [BuildQuote(first, end, 60.0 + number % 7, str(number)) for number, (first, end) in enumerate(periods)]

    def run() -> None:
        assert build_curve(quotes, grid, tick=0.01).report.max_abs_error < 1e-9

    times = _times(run, 20 * scale.rounds)
    return limit(f"smooth build, ten years of days, {len(quotes)} quotes: in process", times, 10.0, unit="ms", stretch=3.0)


def _served(url: str, scale: Scale, curves: int, dates: int) -> list[Figure]:
    client = _Client(url)
    key = quote(key_of(0), safe=":")
    body = json.dumps({"curve": key_of(0), "trade_date": str(LAST), "layout": "columns"}).encode()
    answer = json.loads(client.send("POST", "/v2/curves/build", body))
    assert answer["meta"]["count"] == (date(2034, 1, 1) - _FIRST).days
    shape = f"/v2/curves/{key}/shape?trade_date={LAST}"
    table = pa.ipc.open_stream(client.send("GET", f"{shape}&format=arrow")).read_all()
    assert table.num_rows == _HOURS
    history = f"/v2/curves/{key}/history?{urlencode({'period': 'Q1-25'})}"
    assert len(json.loads(client.send("GET", history))["data"]) >= dates - 3
    strip = f"/v2/curves/{key}/strips?{urlencode({'period': 'Q1-24,2026', 'trade_date': LAST})}"
    ahead = key_of(curves)
    front = f"/v2/curves/{quote(ahead, safe=':')}/continuous?{urlencode({'front': 'M+1', 'adjust': 'difference'})}"
    assert json.loads(client.send("GET", front))["meta"]["summary"]["points"] == dates
    before = sessions(2)[0]
    explanation = f"/v2/curves/explain?{urlencode({'curve': ahead, 'a': before, 'b': LAST})}"
    assert json.loads(client.send("GET", explanation))["meta"]["count"] >= 9
    spread = json.dumps(_spread(dates)).encode()
    through = json.loads(client.send("POST", "/v2/curves/spread", spread))
    assert through["meta"]["count"] >= dates - 3
    alone = json.dumps(_spread(0)).encode()
    moves = f"/v2/curves/diff?{urlencode({'curve': 'power:X*', 'a': before, 'b': LAST, 'format': 'arrow'})}"
    assert pa.ipc.open_stream(client.send("GET", moves)).read_all().num_rows >= curves * 20

    explanations = f"/v2/curves/explain?{urlencode({'curve': 'power:X*', 'a': before, 'b': LAST, 'format': 'arrow'})}"
    assert pa.ipc.open_stream(client.send("GET", explanations)).read_all().num_rows >= curves * 9

    number = urlencode({"curve": key_of(0), "period": "Q1-25", "trade_date": LAST, "locate": "false"})
    origin = f"/v2/catalog/lineage?{number}"
    assert json.loads(client.send("GET", origin))["data"]["files"][0]["role"] == "brought"

    def figure(name: str, call: Callable[[], object], most: float, stretch: float) -> Figure:
        return limit(name, _times(call, 10 * scale.rounds), most, unit="ms", stretch=stretch)

    return [
        figure(
            "smooth build, ten years of days, 25 quotes: POST", lambda: client.send("POST", "/v2/curves/build", body), 40, 20
        ),
        figure(f"hourly shape, {_HOURS:,} h: Arrow", lambda: client.send("GET", f"{shape}&format=arrow"), 40, 15),
        figure(
            f"hourly shape, {_HOURS:,} h: JSON columns",
            lambda: client.send("GET", f"{shape}&format=json&layout=columns"),
            100,
            60,
        ),
        figure("strips of two periods", lambda: client.send("GET", strip), 5, 2),
        figure(f"history of one period, {dates} dates", lambda: client.send("GET", history), 10, 4),
        figure(f"continuous M+1 with its rolls, {dates} dates", lambda: client.send("GET", front), 30, 15),
        figure("explanation of a curve by tenor, 2 dates", lambda: client.send("GET", explanation), 60, 30),
        figure("clean spark spread of four quarters", lambda: client.send("POST", "/v2/curves/spread", alone), 20, 10),
        figure(f"calendar spread through {dates} dates", lambda: client.send("POST", "/v2/curves/spread", spread), 60, 30),
        figure("lineage of a quote, without its place", lambda: client.send("GET", origin), 10, 5),
        figure(f"diff of {curves} curves × 2 dates", lambda: client.send("GET", moves), 50, 25),
        figure(f"explanation of {curves} curves by tenor, 2 dates", lambda: client.send("GET", explanations), 2_500, 1_200),
    ]


def _spread(dates: int) -> dict[str, object]:
    """Return a question about a calendar spread through trade dates, or about a clean spark spread on one."""
    if dates:
        legs = {"near": {"curve": key_of(0), "period": "Q1-25"}, "far": {"period": "Q2-25"}}
        return {"template": "calendar", "legs": legs, "from": "2000-01-01"}
    return {
        "template": "clean_spark",
        "legs": {
            "power": {"curve": key_of(0)},
            "gas": {"curve": key_of(1)},
            "emissions": {"value": 65.0, "unit": "EUR/t"},
        },
        "periods": ["Q1-25", "Q2-25", "Q3-25", "Q4-25"],
        "trade_date": str(LAST),
        "parameters": {"efficiency": 0.5, "emission_intensity": 0.202},
    }


async def _files(stage: Stage, scale: Scale, shared: Path) -> list[Figure]:
    book = broker_workbook() if scale.rounds > 1 else broker_workbook(rows=16, columns=20)
    parsed: list[float] = []
    loaded: list[float] = []
    with tempfile.TemporaryDirectory(prefix="aurum-bench-curves-") as folder:
        ingestion = Ingestion(
            registry=default_registry(),
            suites=read_suites(contracts_directory(None) / "expectations"),
            loader=stage.store.loader,
            raw_files=RawFiles(Path(folder)),
        )
        for _ in range(scale.rounds + 1):
            parsed.append(_parse(book))
            loaded.append(await _load(stage, ingestion, book))
        real = shared / "forward" / "eex" / "EEX_POWER_FUT_DE_BASE_M_2021-2024.csv"
        if scale.real and real.is_file():
            file = SourceFile(real.name, real.read_bytes())
        else:
            file = settlement_file(8_700 if scale.rounds > 1 else 900)
        rows = file.content.count(b"\n") - 1
        await _load(stage, ingestion, file)
        await _execute(stage, "CREATE TABLE raw_quote (LIKE quote INCLUDING ALL)")
        copied = await _rows_of(stage, file)

        async def new() -> float:
            return rows / await _load(stage, ingestion, file)

        async def raw() -> float:
            await _execute(stage, "TRUNCATE raw_quote")
            async with stage.store.pool.acquire() as connection:
                watch = timed()
                await connection.copy_records_to_table("raw_quote", records=copied[1], columns=copied[0])
                return len(copied[1]) / watch()

        stored = await side_by_side(
            f"EEX file of years, {rows:,} rows: file to committed quotes",
            new,
            raw,
            unit="rows/s",
            against="raw COPY, keyed table",
            rounds=scale.rounds,
            target=0.35,
            stretch=0.5,
        )
    return [
        limit("RP-sized workbook (4 sheets of 61 × 367): parsed", parsed[1:], 0.8, unit="s", stretch=0.5),
        limit("RP-sized workbook (4 sheets of 61 × 367): committed", loaded[1:], 1.5, unit="s", stretch=1.0),
        stored,
    ]


def _parse(document: SourceFile) -> float:
    fresh = SourceFile(document.name, document.content)
    watch = timed()
    (file_format,) = (one for source in default_registry().sources for one in source.formats if one.recognise(fresh))
    assert file_format.parse(fresh)
    return watch()


async def _load(stage: Stage, ingestion: Ingestion, document: SourceFile) -> float:
    """Return the seconds of a load into tables without quotes of any file before."""
    await _execute(stage, "TRUNCATE quote, quote_publication, file_curve, quarantine, ingest_file CASCADE")
    watch = timed()
    report = await ingestion.ingest(SourceFile(document.name, document.content))
    took = watch()
    assert report.outcome is FileOutcome.APPLIED, report.reason
    return took


async def _rows_of(stage: Stage, file: SourceFile) -> tuple[list[str], list[tuple[object, ...]]]:
    del file
    async with stage.store.pool.acquire() as connection:
        rows = await connection.fetch("SELECT * FROM quote")
    return list(rows[0].keys()), [tuple(row.values()) for row in rows]


async def _execute(stage: Stage, statement: str) -> None:
    async with stage.store.pool.acquire() as connection:
        await connection.execute(statement)


def _times(call: Callable[[], object], count: int) -> list[float]:
    call()
    times: list[float] = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return times


class _Client:
    """One connection that stays open, so that a figure is about the service and not about connections."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)

    def send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {} if body is None else {"content-type": "application/json"}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        assert response.status == 200, content[:500]
        return content
