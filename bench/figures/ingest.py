"""From file to committed versions, against raw COPY of the same observations into a table with the same key."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import polars as pl

from aurum.common.contracts import contracts_directory
from aurum.core.asof import Span
from aurum.core.frames import PUBLICATIONS
from aurum.pipelines.loading.load import Ingestion, Outcome
from aurum.pipelines.quality.kept_files import KeptFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import Document
from bench.harness import Figure, side_by_side, timed
from bench.stage import OBSERVATION, Stage

# The series stay: the file of a new day names locations that are known.
_TABLES = "observation, observation_version, observation_confirmation, completeness, quarantine, ingest_file"


async def measure(stage: Stage, *, rounds: int, shared: Path | None) -> list[Figure]:
    figures: list[Figure] = []
    for name, document in _files(shared):
        figures += await _file(stage, name, document, rounds)
    return figures


async def _file(stage: Stage, name: str, document: Document, rounds: int) -> list[Figure]:
    ingestion = Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        writer=stage.store.writer,
        kept=KeptFiles(Path(tempfile.mkdtemp(prefix="aurum-bench-"))),
    )

    async def empty() -> None:
        async with stage.store.pool.acquire() as connection:
            await connection.execute(f"TRUNCATE {_TABLES} RESTART IDENTITY CASCADE")

    async def load(*, force: bool = False) -> float:
        # A new object each time: nothing that was worked out of the bytes before is kept.
        fresh = Document(document.name, document.content)
        watch = timed()
        report = await ingestion.ingest(fresh, force=force)
        assert report.outcome is not Outcome.REFUSED, report.reason
        return watch()

    async def load_new() -> float:
        await empty()
        return rows / await load()

    async def load_again() -> float:
        return rows / await load(force=True)

    async def look_up() -> float:
        return await load()

    await empty()
    await load()
    async with stage.store.pool.acquire() as connection:
        rows = await connection.fetchval("SELECT count(*) FROM observation")
        ids = [row[0] for row in await connection.fetch("SELECT series_id FROM series ORDER BY 1")]
        await connection.execute("CREATE TABLE IF NOT EXISTS raw_copy (LIKE observation INCLUDING ALL)")
    parts = [part async for part in stage.store.reader.stream(ids, span=Span())]
    frame = pl.concat(parts).select(list(PUBLICATIONS))

    async def raw_copy() -> float:
        async with stage.store.pool.acquire() as connection:
            await connection.execute("TRUNCATE raw_copy")
            watch = timed()
            await connection.copy_to_table(
                "raw_copy", source=OBSERVATION.source(frame), columns=list(OBSERVATION.columns), format="binary"
            )
            return frame.height / watch()

    new = await side_by_side(
        f"{name}: file to committed versions",
        load_new,
        raw_copy,
        unit="rows/s",
        reference_name="raw COPY, keyed table",
        target=0.35,
        stretch=0.5,
        rounds=rounds,
    )
    async with stage.store.pool.acquire() as connection:
        await connection.execute("ANALYZE")
    again = await side_by_side(
        f"{name}: forced again, nothing changed",
        load_again,
        raw_copy,
        unit="rows/s",
        reference_name="raw COPY, keyed table",
        target=0.8,
        rounds=rounds,
    )
    async with stage.store.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM observation") == rows
        assert await connection.fetchval("SELECT count(*) FROM observation_version") == 0
    same = await side_by_side(
        f"{name}: the same file again",
        look_up,
        look_up,
        unit="s",
        reference_name="itself",
        target=None,
        rounds=rounds,
        less_is_better=True,
    )
    async with stage.store.pool.acquire() as connection:
        await connection.execute(f"TRUNCATE {_TABLES}, series RESTART IDENTITY CASCADE")
    return [new, again, same]


def _files(shared: Path | None) -> list[tuple[str, Document]]:
    if shared is not None:
        paths = [
            ("ISO-NE day", "isone/WW_DALMP_ISO_20260604.csv"),
            ("PJM year", "pjm/da_hrl_lmps_rto_2025.csv"),
            ("PJM hubs, 3 months", "pjm/da_hrl_lmps_hubs_20250501_20250801.csv"),
        ]
        return [(name, Document(Path(path).name, (shared / path).read_bytes())) for name, path in paths]
    return [("ISO-NE day, invented", _invented_day())]


def _invented_day(nodes: int = 1_209) -> Document:
    prices = random.Random(1)
    lines = [
        '"C","Day-Ahead Energy Market Hourly LMP Report"',
        '"C","Filename: WW_DALMP_ISO_20260604.csv"',
        '"C","Report for: 06/04/2026 - 06/04/2026"',
        '"C","Report generated: 06/03/2026 12:57:12 EDT"',
        '"H","Date","Hour Ending","Location ID","Location Name","Location Type","Locational Marginal Price",'
        '"Energy Component","Congestion Component","Marginal Loss Component"',
        '"H","Date","HE","String","String","String","Number","Number","Number","Number"',
    ]
    for hour in range(1, 25):
        for node in range(nodes):
            energy, loss = round(prices.uniform(20, 90), 2), round(prices.uniform(-2, 2), 2)
            place = f'"{9000 + node}","UN.INVENTED{node}","NETWORK NODE"'
            lines.append(f'"D","06/04/2026","{hour:02d}",{place},{round(energy + loss, 2)},{energy},0.0,{loss}')
    lines.append(f'"T","{24 * nodes} lines"')
    return Document("WW_DALMP_ISO_20260604.csv", "\n".join(lines).encode())
