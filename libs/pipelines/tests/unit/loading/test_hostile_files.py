"""Files made to crash or fill the process that reads them are refused with a reason, and cost this process nothing."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings import FilesSettings
from aurum.core.errors import Unavailable
from aurum.pipelines.loading.documents import read_source_files
from aurum.pipelines.loading.isolated import IsolatedFiles, needs_isolation
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome, FileReport, Ingestion
from aurum.pipelines.loading.unpacking import Unreadable
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import Suites, read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import RefusedFile, SourceFile
from aurum.pipelines.testing.bombs import MEBIBYTE, repeated_gzip, with_repeated, zipped
from aurum.pipelines.testing.misbehaving import misbehaving, misbehaving_registry
from aurum.pipelines.testing.workbook import far_workbook, workbook
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.files import FileFilter, FileLoad, Loader, LoadOutcome

pytestmark = pytest.mark.needs_process

EXPECTATIONS = contracts_directory(None) / "expectations"
ERCOT = "rpt.DAMLZHBSPP_2025.xlsx"
BROKER = "EOD_EUGP_20250917_1430.xlsx"
NYISO_HEADER = "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)\n"
GOOD = SourceFile("20251105damlbmp_zone.csv", f"{NYISO_HEADER}11/05/2025 00:00,N.Y.C.,61761,51.52,2.92,0.00\n".encode())
STRINGS = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
_MARKET = '<GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"><type>A75</type>'
MOST_MIB = 64


@pytest.fixture(scope="module")
def files() -> Iterator[IsolatedFiles]:
    opened = IsolatedFiles(FilesSettings(), expectations=EXPECTATIONS)
    yield opened
    opened.close()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(SystemClock())


@pytest.fixture
def ingestion(store: MemoryStore, files: IsolatedFiles, tmp_path: Path) -> Ingestion:
    return Ingestion(
        registry=default_registry(),
        suites=read_suites(EXPECTATIONS),
        loader=store.loader,
        raw_files=RawFiles(tmp_path / "raw"),
        isolated=files,
    )


def refusal(files: IsolatedFiles, name: str, content: bytes) -> str:
    document = SourceFile(name, content)
    assert needs_isolation(document)
    prepared = files.prepare(document, "0" * 64, KnownAtPolicy(), SystemClock().now())
    assert prepared.load is None
    return prepared.refusal


def peak_mib() -> int:
    """Return the most memory that this process had resident since ``forget_peak``."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmHWM"))


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.parametrize("name", [ERCOT, BROKER])
def test_a_small_workbook_with_far_cells_is_refused(files: IsolatedFiles, name: str) -> None:
    content = far_workbook()
    assert len(content) < 2000
    assert "needs more memory than 2048 MiB" in refusal(files, name, content)


def test_a_workbook_with_gigabytes_of_strings_is_refused_and_costs_this_process_nothing(files: IsolatedFiles) -> None:
    string = b"<si><t>" + b"a" * 1000 + b"</t></si>"
    bomb = with_repeated(workbook({"Jan": [["x"]]}), "xl/sharedStrings.xml", (STRINGS, string * 1000, b"</sst>"), 2000)
    forget_peak()
    before = peak_mib()
    assert "needs more memory than 2048 MiB" in refusal(files, ERCOT, bomb)
    assert peak_mib() - before < MOST_MIB
    assert files.children.peak_kib < 2048 << 10


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.csv.gz"])
def test_an_archive_bomb_is_refused_and_costs_this_process_nothing(files: IsolatedFiles, name: str) -> None:
    zeros = bytes(MEBIBYTE)
    bomb = repeated_gzip(zeros, 2000) if name.endswith("gz") else with_repeated(zipped({}), "a.csv", (b"", zeros, b""), 2000)
    forget_peak()
    before = peak_mib()
    (only,) = files.unpack(name, bomb)
    assert isinstance(only, Unreadable)
    assert only.content == bomb
    assert "times its size" in only.reason
    assert peak_mib() - before < MOST_MIB


def test_entities_that_multiply_are_refused(files: IsolatedFiles) -> None:
    laughs = "".join(f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(12))
    document = f'<!DOCTYPE l [<!ENTITY a "ha">{laughs}]>{_MARKET}<mRID>&m;</mRID></GL_MarketDocument>'
    assert "not well-formed XML" in refusal(files, "laughs.xml", document.encode())


def test_deeply_nested_elements_are_refused(files: IsolatedFiles) -> None:
    assert "Excessive depth" in refusal(files, "deep.xml", (_MARKET + "<a>" * 1_000_000).encode())


def test_more_elements_than_fit_into_the_memory_are_refused(files: IsolatedFiles) -> None:
    content = (_MARKET + "<a/>" * 20_000_000 + "</GL_MarketDocument>").encode()
    assert "needs more memory" in refusal(files, "wide.xml", content)


@pytest.mark.parametrize("name", ["a.xlsx", "DAMLZHBSPP_2025.XLSX", "a.xls", "a.xml"])
def test_a_name_of_a_workbook_is_enough_to_read_a_file_apart(name: str) -> None:
    assert needs_isolation(SourceFile(name, b"junk before PK"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_xml_is_known_in_every_encoding(encoding: str) -> None:
    assert needs_isolation(SourceFile("a", " \n<a/>".encode(encoding)))
    assert not needs_isolation(SourceFile("a.csv", "a,b\n<,>\n".encode(encoding)))


async def ingested(ingestion: Ingestion, *documents: SourceFile | Unreadable) -> list[FileReport]:
    return [report async for report in ingestion.ingest_all(documents)]


async def test_no_file_is_lost_because_of_the_one_before_it(ingestion: Ingestion, store: MemoryStore) -> None:
    def good(hour: int) -> SourceFile:
        return SourceFile(GOOD.name, GOOD.content.replace(b" 00:00", f" {hour:02}:00".encode()))

    hostile = [
        SourceFile(ERCOT, far_workbook()),
        SourceFile("a.csv", b"a," * 1_000_000),
        SourceFile("20251105damlbmp_zone.csv", NYISO_HEADER.encode() + b'"' * 100_001),
        SourceFile("20251106damlbmp_zone.csv", GOOD.content + b"11/05/2025 01:00," + b"x" * 140_000 + b",61761,1,2,0\n"),
        SourceFile("a.json", b"[" * 100_000),
        Unreadable("b.zip", "damaged archive: " + "x" * 100_000),
    ]
    documents = [document for hour, bad in enumerate(hostile) for document in (bad, good(hour))]
    reports = await ingested(ingestion, *documents)
    assert [report.outcome for report in reports] == [FileOutcome.REFUSED, FileOutcome.APPLIED] * len(hostile)
    assert all(len(report.reason) < 1000 for report in reports)
    recorded = await store.files.files_page(FileFilter(status="refused"), before=None, limit=50)
    assert len(recorded) == len(hostile)
    assert all(file.reason for file in recorded)


@pytest.mark.parametrize(
    "cell", ["0001-01-01 00:00", "9999-12-31 23:00", "12/31/9999 23:00", "01/01/0001 00:00", "\0", "\ufffe"]
)
async def test_strange_cells_are_held_back_or_refused(ingestion: Ingestion, cell: str) -> None:
    rows = f"{NYISO_HEADER}{cell},N.Y.C.,61761,51.52,2.92,0.00\n11/05/2025 01:00,N.{cell}Y.C.,61761,{cell},2.92,0.00\n"
    (first, second) = await ingested(ingestion, SourceFile(GOOD.name, rows.encode()), GOOD)
    assert first.outcome is FileOutcome.REFUSED or first.quarantined
    assert second.outcome is FileOutcome.APPLIED


async def test_a_parser_that_fails_in_this_process_refuses_its_file(store: MemoryStore, tmp_path: Path) -> None:
    ingestion = Ingestion(registry=misbehaving_registry(), suites=Suites({}), loader=store.loader, raw_files=RawFiles(tmp_path))
    reports = await ingested(ingestion, misbehaving("raise"), misbehaving("panic"), misbehaving("well"))
    assert [report.outcome for report in reports] == [FileOutcome.REFUSED, FileOutcome.REFUSED, FileOutcome.APPLIED]
    assert [report.source for report in reports] == ["misbehaving"] * 3
    assert "ZeroDivisionError" in reports[0].reason
    assert "native code" in reports[1].reason


class _StoreThatRefuses:
    """A loader whose store raises an error that no code expects, for one file."""

    def __init__(self, loader: Loader, error: Exception) -> None:
        self._loader = loader
        self._error: Exception | None = error
        self.already_loaded = loader.already_loaded
        self.refuse = loader.refuse

    async def load(self, file: FileLoad, *, force: bool = False) -> LoadOutcome:
        error, self._error = self._error, None
        if error is not None:
            raise error
        return await self._loader.load(file, force=force)


def storing(store: MemoryStore, error: Exception, folder: Path) -> Ingestion:
    loader = _StoreThatRefuses(store.loader, error)
    return Ingestion(registry=default_registry(), suites=read_suites(EXPECTATIONS), loader=loader, raw_files=RawFiles(folder))


async def test_rows_that_the_store_cannot_take_refuse_their_file_and_no_other(store: MemoryStore, tmp_path: Path) -> None:
    other = SourceFile(GOOD.name, GOOD.content.replace(b" 00:00", b" 01:00"))
    first, second = await ingested(storing(store, ValueError("invalid byte sequence"), tmp_path), GOOD, other)
    assert first.outcome is FileOutcome.REFUSED
    assert (
        first.reason == "storing its rows failed unexpectedly with ValueError: invalid byte sequence; the log has the details"
    )
    assert second.outcome is FileOutcome.APPLIED


@pytest.mark.parametrize("error", [Unavailable("away"), OSError("disk full")])
async def test_a_file_is_not_refused_for_a_store_that_is_away(store: MemoryStore, tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)):
        await ingested(storing(store, error, tmp_path), GOOD)
    assert await store.files.files_page(FileFilter(), before=None, limit=5) == []


async def test_members_of_an_archive_are_read_one_by_one(ingestion: Ingestion, files: IsolatedFiles, tmp_path: Path) -> None:
    path = tmp_path / "month.zip"
    path.write_bytes(zipped({ERCOT: far_workbook(), GOOD.name: GOOD.content}, method=zipfile.ZIP_BZIP2))
    reports = [report async for report in ingestion.ingest_all(read_source_files(path, files))]
    assert [report.outcome for report in reports] == [FileOutcome.REFUSED, FileOutcome.APPLIED]


def test_a_file_above_the_bound_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(3 * MEBIBYTE)
    (only,) = read_source_files(path, most_bytes=2 * MEBIBYTE)
    assert isinstance(only, Unreadable)
    assert only.reason == "cannot be read: larger than 2 MiB, the limit of AURUM_FILES__FILE_MIB"


def test_the_rows_of_a_file_are_read_apart_and_a_hostile_one_is_refused(files: IsolatedFiles) -> None:
    (part,) = files.rows(GOOD)
    assert (part.source, part.dataset, part.rows.height) == ("nyiso", "damlbmp_zone", 4)
    with pytest.raises(RefusedFile, match="needs more memory"):
        files.rows(SourceFile(ERCOT, far_workbook()))
