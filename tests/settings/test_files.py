"""Settings of files: the bounds of a file, of archives, and of the child process that reads workbooks and XML."""

from __future__ import annotations

import os
import random
from pathlib import Path

import polars as pl
import pytest

from aurum.assembly.memory import memory_store
from aurum.assembly.pipelines import Pipelines
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.core.frames import REFUSED
from aurum.pipelines.isolation import Limits
from aurum.pipelines.loading.unpacking import Unreadable
from aurum.pipelines.testing.bombs import MEBIBYTE, zipped
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad, FileRecord

shows, needs = pytest.mark.shows, pytest.mark.given


@pytest.fixture
def pipelines(settings: Settings, store: MemoryStore) -> Pipelines:
    return Pipelines(memory_store(settings, SystemClock(), store, MemoryChangeFeed()))


def reasons(pipelines: Pipelines, path: Path, content: bytes) -> list[str]:
    path.write_bytes(content)
    try:
        return [member.reason for member in pipelines.read(path) if isinstance(member, Unreadable)]
    finally:
        pipelines.isolated_files.close()


@shows(AURUM_FILES__FILE_MIB="1")
def test_a_larger_file_is_not_read(pipelines: Pipelines, tmp_path: Path) -> None:
    (reason,) = reasons(pipelines, tmp_path / "a.csv", bytes(MEBIBYTE + 1))
    assert "AURUM_FILES__FILE_MIB" in reason


@shows(AURUM_FILES__MEMBER_MIB="1")
@pytest.mark.needs_process
def test_a_larger_member_is_not_read(pipelines: Pipelines, tmp_path: Path) -> None:
    (reason,) = reasons(pipelines, tmp_path / "a.zip", zipped({"a.csv": bytes(MEBIBYTE + 1), "b.csv": b"1"}))
    assert "AURUM_FILES__MEMBER_MIB" in reason


@shows(AURUM_FILES__ARCHIVE_MIB="1")
@pytest.mark.needs_process
def test_an_archive_that_unpacks_to_more_is_not_read(pipelines: Pipelines, tmp_path: Path) -> None:
    (reason,) = reasons(pipelines, tmp_path / "a.zip", zipped({f"{n}.csv": bytes(MEBIBYTE) for n in range(2)}))
    assert "AURUM_FILES__ARCHIVE_MIB" in reason


@shows(AURUM_FILES__ARCHIVE_MEMBERS="1")
@pytest.mark.needs_process
def test_an_archive_of_more_members_is_not_read(pipelines: Pipelines, tmp_path: Path) -> None:
    (reason,) = reasons(pipelines, tmp_path / "a.zip", zipped({"a.csv": b"1", "b.csv": b"2"}))
    assert "AURUM_FILES__ARCHIVE_MEMBERS" in reason


@shows(AURUM_FILES__ARCHIVE_LEVELS="1")
@pytest.mark.needs_process
def test_archives_in_more_archives_are_not_read(pipelines: Pipelines, tmp_path: Path) -> None:
    (reason,) = reasons(pipelines, tmp_path / "a.zip", zipped({"b.zip": zipped({"a.csv": b"1"})}))
    assert "AURUM_FILES__ARCHIVE_LEVELS" in reason


@shows(AURUM_FILES__ARCHIVE_RATIO="2")
@pytest.mark.needs_process
def test_an_archive_that_is_packed_more_tightly_is_not_read(pipelines: Pipelines, tmp_path: Path) -> None:
    (reason,) = reasons(pipelines, tmp_path / "a.zip", zipped({"a.csv": bytes(65 * MEBIBYTE)}))
    assert "more than 2 times its size" in reason


@shows(
    AURUM_FILES__MEMORY_MIB="4096",
    AURUM_FILES__PROCESSOR_S="7",
    AURUM_FILES__WALL_S="8.5",
    AURUM_FILES__OUTPUT_MIB="9",
)
def test_a_child_that_reads_a_file_has_the_limits_of_the_settings(pipelines: Pipelines) -> None:
    assert pipelines.isolated_files.children.limits == Limits(4096 * MEBIBYTE, 7, 8.5, 9 * MEBIBYTE)


def test_files_of_curves_are_stored_as_they_came_by_default(pipelines: Pipelines) -> None:
    assert stored_files(pipelines, a_load(quotes=True)) == 1
    assert stored_files(pipelines, a_load(digest="b" * 64)) == 1


@shows(AURUM_FILES__RAW_FILES="all")
def test_all_files_are_stored_as_they_came(pipelines: Pipelines) -> None:
    assert stored_files(pipelines, a_load()) == 1


@needs(AURUM_FILES__RAW_FILES="all")
@shows(AURUM_FILES__RAW_FILES_MIB="1")
def test_a_file_that_is_larger_than_all_may_be_is_not_stored(pipelines: Pipelines) -> None:
    reason = pipelines.raw_files.store(a_load(), random.Random(1).randbytes(MEBIBYTE + 1))
    assert "AURUM_FILES__RAW_FILES_MIB" in reason


@needs(AURUM_FILES__RAW_FILES="all")
@shows(AURUM_FILES__RAW_FILES_DAYS="2")
def test_stored_files_are_deleted_after_days(pipelines: Pipelines, settings: Settings) -> None:
    assert stored_files(pipelines, a_load()) == 1
    (path,) = (settings.data_dir / "raw").rglob("*.gz")
    old = path.stat().st_mtime - 3 * 86_400
    os.utime(path, (old, old))
    assert pipelines.raw_files.prune() == 1


def a_load(*, quotes: bool = False, digest: str = "a" * 64) -> FileLoad:
    none = pl.DataFrame()
    parts = [CurveQuotes("invented", "settlements", none, none)] if quotes else []
    return FileLoad(FileRecord("a.csv", digest, 1, "invented", "numbers"), parts, pl.DataFrame(schema=REFUSED))


def stored_files(pipelines: Pipelines, load: FileLoad) -> int:
    """Store a file and return the number of files that are then stored."""
    assert pipelines.raw_files.store(load, b"a,b") == ""
    return len([*(pipelines.store.settings.data_dir / "raw").rglob("*.gz")])
