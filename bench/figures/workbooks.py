"""A broker's workbook of four sheets of 61 x 367 cells: parsed, and from its bytes to committed quotes.

It is read in the process of the bench: a child process, which the loader uses for workbooks, adds its turn.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from aurum.common.contracts import contracts_directory
from aurum.core.curves.product_documents import default_products
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.broker_workbook import large_workbook
from aurum.storage.ports.access import Actor
from bench.harness import Figure, limit, timed
from bench.scale import Scale
from bench.stage import Stage

_NAME = "EOD_RP_20250917_1430.xlsx"
_OF_A_LOAD = "quote, quote_publication, file_curve, quarantine, ingest_file"


async def measure(stage: Stage, scale: Scale) -> list[Figure]:
    """Measure parsing and loading. The first round of each is a warm-up and does not count."""
    content = large_workbook()
    registry = default_registry()
    _, file_format = registry.recognise(SourceFile(_NAME, content))
    parsed: list[float] = []
    for _ in range(scale.rounds + 1):
        watch = timed()
        (part,) = file_format.parse(SourceFile(_NAME, content))
        parsed.append(watch())
        assert part.refused.is_empty()
    async with stage.store.transactions.transaction(by=Actor("bench")) as tx:
        await tx.curve_reference.declare(default_products())
    ingestion = Ingestion(
        registry=registry,
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=stage.store.loader,
        raw_files=RawFiles(Path(tempfile.gettempdir()) / "aurum-bench-raw-files"),
    )
    committed: list[float] = []
    for _ in range(scale.rounds + 1):
        async with stage.store.pool.acquire() as connection:
            await connection.execute(f"TRUNCATE {_OF_A_LOAD} CASCADE")
        watch = timed()
        report = await ingestion.ingest(SourceFile(_NAME, content))
        committed.append(watch())
        assert report.outcome is FileOutcome.APPLIED, report.reason
    return [
        limit("workbook, 4 sheets of 61 x 367: parsed", parsed[1:], 0.8, unit="s", stretch=0.5),
        limit("workbook, 4 sheets of 61 x 367: to committed quotes", committed[1:], 1.5, unit="s", stretch=1.0),
    ]
