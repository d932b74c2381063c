"""A file in which prices are ten times those before: loaded, suspect, and said in its report and its record."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.core.asof import Span
from aurum.core.catalog.quality import Quality
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.storage.memory import MemoryStore
from aurum.storage.testing.stores import series_named

NYC, WEST = "nyiso:damlbmp_zone:61761:lmp", "nyiso:damlbmp_zone:61752:lmp"
HEADER = '"Time Stamp","Name","PTID","LBMP ($/MWHr)","Marginal Cost Losses ($/MWHr)","Marginal Cost Congestion ($/MWHr)"\n'


def day_file(day: int, nyc: float, west: float) -> SourceFile:
    rows = [
        f'"06/{day:02}/2025 {hour:02}:00","{name}",{ptid},{price + hour / 100:.2f},1.00,0.00\n'
        for hour in range(24)
        for name, ptid, price in (("N.Y.C.", 61761, nyc), ("WEST", 61752, west))
    ]
    return SourceFile(f"202506{day:02}damlbmp_zone.csv", (HEADER + "".join(rows)).encode())


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(SystemClock())


@pytest.fixture
def ingestion(store: MemoryStore, tmp_path: Path) -> Ingestion:
    return Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=store.loader,
        raw_files=RawFiles(tmp_path),
        neighbours=store.neighbours,
    )


async def test_files_of_one_run_are_compared_with_those_before_them(store: MemoryStore, ingestion: Ingestion) -> None:
    files = [day_file(3, 31.0, 25.0), day_file(4, 30.0, 26.0), day_file(5, 305.0, 25.5), day_file(6, 30.5, 24.0)]
    reports = [report async for report in ingestion.ingest_all(files)]
    assert [report.outcome for report in reports] == [FileOutcome.APPLIED] * 4
    # The price and its component of energy; the day after the jump is a jump back.
    assert [report.suspect_series for report in reports] == [0, 0, 2, 2]
    jumps = reports[2].unit_jumps
    assert {(jump.key, jump.factor) for jump in jumps} == {(NYC, 10.0), (f"{NYC.rpartition(':')[0]}:energy", 10.0)}
    assert {jump.factor for jump in reports[3].unit_jumps} == {0.1}
    (record,) = await store.files.files_of(reports[2].digest)
    assert (record.suspect_series, record.unit_jumps) == (2, jumps)
    nyc, west = [
        (await store.reader.observations((await series_named(store, key)).series_id, span=Span()))["quality"].to_list()
        for key in (NYC, WEST)
    ]
    assert nyc == [int(Quality.GOOD)] * 48 + [int(Quality.SUSPECT)] * 48
    assert set(west) == {int(Quality.GOOD)}


async def test_a_file_that_is_loaded_already_reports_no_jump(ingestion: Ingestion) -> None:
    for day, price in ((3, 31.0), (4, 310.0)):
        await ingestion.ingest(day_file(day, price, 25.0))
    again = await ingestion.ingest(day_file(4, 310.0, 25.0))
    assert (again.outcome, again.suspect_series, again.unit_jumps) == (FileOutcome.ALREADY_LOADED, 0, ())
    forced = await ingestion.ingest(day_file(4, 310.0, 25.0), force=True)
    assert (forced.suspect_series, forced.new, forced.revised) == (2, 0, 0)
