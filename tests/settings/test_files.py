"""Settings of files: the bounds of a file, of archives, and of the child process that reads workbooks and XML."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurum.assembly.memory import memory_store
from aurum.assembly.pipelines import Pipelines
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.pipelines.isolation import Limits
from aurum.pipelines.loading.unpacking import Unreadable
from aurum.pipelines.testing.bombs import MEBIBYTE, zipped
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed

shows = pytest.mark.shows


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
