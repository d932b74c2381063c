"""Loads of a file, parse and checks included: new, again, and forced; against raw COPY."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings.quality import QualitySettings
from aurum.core.asof import Span
from aurum.core.frames import PUBLICATIONS
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.retention import ValidationCleanup
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from bench.harness import Figure, none_at_all, side_by_side, timed
from bench.invented import FEW, day_after, few_rows, isone_day, pjm_year
from bench.scale import Scale
from bench.stage import Stage, copy_in, settle

_AGAINST = "raw COPY, keyed table"
# The series are not truncated: a file of a new day names known locations. Identities go on: recordings keep the ids of files.
_TABLES_OF_A_LOAD = (
    "observation, observation_version, observation_confirmation, completeness, quarantine, file_series, ingest_file"
)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A file, its loader, and its rows for raw COPY."""

    stage: Stage
    ingestion: Ingestion
    document: SourceFile
    frame: pl.DataFrame

    async def load(self, document: SourceFile | None = None, *, force: bool = False) -> float:
        """Return the seconds of a load. The document is a new object each time, so that no cached property of it is used."""
        loaded = document or self.document
        fresh = SourceFile(loaded.name, loaded.content)
        watch = timed()
        report = await self.ingestion.ingest(fresh, force=force)
        took = watch()
        assert report.outcome is not FileOutcome.REFUSED, report.reason
        return took

    async def new(self) -> float:
        await _execute(self.stage, f"TRUNCATE {_TABLES_OF_A_LOAD} CASCADE")
        return self.frame.height / await self.load()

    async def next_day(self, document: SourceFile) -> float:
        """Return the rate of a file of the next day, whose values are compared with those of the day before."""
        await _execute(self.stage, f"TRUNCATE {_TABLES_OF_A_LOAD} CASCADE")
        await self.load()
        return self.frame.height / await self.load(document)

    async def again(self) -> float:
        return self.frame.height / await self.load(force=True)

    async def few(self, document: SourceFile) -> float:
        """Return the seconds of a load of a few rows of the same layout: the fixed cost of a file."""
        await _execute(self.stage, f"TRUNCATE {_TABLES_OF_A_LOAD} CASCADE")
        return await self.load(document)

    async def raw_few(self) -> float:
        """Return the seconds of a COPY of as many rows."""
        await _execute(self.stage, "TRUNCATE raw_copy")
        watch = timed()
        await copy_in(self.stage, self.frame.head(4 * FEW), table="raw_copy")
        return watch()

    async def raw(self) -> float:
        await _execute(self.stage, "TRUNCATE raw_copy")
        watch = timed()
        await copy_in(self.stage, self.frame, table="raw_copy")
        return self.frame.height / watch()

    async def look_up(self) -> float:
        """Return the seconds of the cheapest way to recognise a known file: its digest, and one query."""
        watch = timed()
        digest = hashlib.sha256(self.document.content).hexdigest()
        async with self.stage.store.pool.acquire() as connection:
            await connection.fetch("SELECT file_id FROM ingest_file WHERE digest = $1 AND status = 'applied'", digest)
        return watch()


async def measure(stage: Stage, scale: Scale, shared: Path) -> list[Figure]:
    """Measure loads of each file. ``shared``: a folder with real files, which may be absent."""
    await _execute(stage, "CREATE TABLE raw_copy (LIKE observation INCLUDING ALL)")
    figures: list[Figure] = []
    for name, document in _files(shared, scale):
        loaded = await _loaded(stage, document)
        figures += await _figures(name, loaded, scale.rounds)
        if (few := few_rows(document)) is not None:
            figures.append(
                await side_by_side(
                    f"{name}: its first {FEW} rows, the fixed cost of a file",
                    partial(loaded.few, few),
                    loaded.raw_few,
                    unit="s",
                    against=_AGAINST,
                    rounds=scale.rounds,
                    less_is_better=True,
                )
            )
        if (following := day_after(document)) is not None:
            figures.append(
                await side_by_side(
                    f"{name}: the day after, compared with it",
                    partial(loaded.next_day, following),
                    loaded.raw,
                    unit="rows/s",
                    against=_AGAINST,
                    rounds=scale.rounds,
                )
            )
    await _execute(stage, f"TRUNCATE {_TABLES_OF_A_LOAD}, series, raw_copy CASCADE")
    return figures


async def _figures(name: str, file: _Loaded, rounds: int) -> list[Figure]:
    new = await side_by_side(
        f"{name}: file to committed versions",
        file.new,
        file.raw,
        unit="rows/s",
        against=_AGAINST,
        rounds=rounds,
        target=0.35,
        stretch=0.5,
    )
    await settle(file.stage)
    before = await _transaction(file.stage)
    forced = await side_by_side(
        f"{name}: forced again, nothing changed",
        file.again,
        file.raw,
        unit="rows/s",
        against=_AGAINST,
        rounds=rounds,
        target=0.8,
    )
    written = none_at_all(f"{name}: rows that wrote", await _written_since(file.stage, before), unit="rows")
    same = await side_by_side(
        f"{name}: the same file again",
        file.load,
        file.look_up,
        unit="s",
        against="digest and one query",
        rounds=rounds,
        less_is_better=True,
    )
    return [new, forced, written, same]


async def _loaded(stage: Stage, document: SourceFile) -> _Loaded:
    await _execute(stage, f"TRUNCATE {_TABLES_OF_A_LOAD}, series CASCADE")
    ingestion = Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=stage.store.loader,
        raw_files=RawFiles(Path(tempfile.gettempdir()) / "aurum-bench-raw-files"),
        cleanup=ValidationCleanup(stage.store.validations, QualitySettings(), SystemClock()),
        neighbours=stage.store.neighbours,
    )
    await _Loaded(stage, ingestion, document, pl.DataFrame()).load()
    async with stage.store.pool.acquire() as connection:
        ids = [row["series_id"] for row in await connection.fetch("SELECT series_id FROM series")]
    stored = await stage.store.reader.many(ids, span=Span())
    return _Loaded(stage, ingestion, document, stored.select(list(PUBLICATIONS)))


async def _transaction(stage: Stage) -> int:
    async with stage.store.pool.acquire() as connection:
        return int(await connection.fetchval("SELECT pg_current_xact_id()::text"))


async def _written_since(stage: Stage, transaction: int) -> int:
    """Return the number of row versions that later transactions wrote, in-place updates included."""
    tables = ("observation", "observation_version", "observation_confirmation")
    counts = " + ".join(f"(SELECT count(*) FROM {table} WHERE xmin::text::bigint > $1)" for table in tables)
    async with stage.store.pool.acquire() as connection:
        return await connection.fetchval(f"SELECT {counts}", transaction)


async def _execute(stage: Stage, statement: str) -> None:
    async with stage.store.pool.acquire() as connection:
        await connection.execute(statement)


def _files(shared: Path, scale: Scale) -> list[tuple[str, SourceFile]]:
    paths = {
        "ISO-NE day": "isone/WW_DALMP_ISO_20260604.csv",
        "PJM year": "pjm/da_hrl_lmps_rto_2025.csv",
        "PJM hubs, 3 months": "pjm/da_hrl_lmps_hubs_20250501_20250801.csv",
    }
    real = {name: shared / path for name, path in paths.items()}
    if scale.real and all(path.is_file() for path in real.values()):
        return [(name, SourceFile(path.name, path.read_bytes())) for name, path in real.items()]
    return [("generated ISO-NE day", isone_day(scale.nodes)), ("generated PJM year", pjm_year())]
