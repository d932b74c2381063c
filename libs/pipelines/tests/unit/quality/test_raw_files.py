"""The stored originals of files: which are stored, their bounds, and that a full disk fails no load."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from structlog.testing import capture_logs

from aurum.common.clock import SystemClock
from aurum.core.frames import REFUSED
from aurum.pipelines.quality.raw_files import Bounds, Choice, RawFileMissing, RawFiles
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.ports.observations import SeriesRows

NONE = pl.DataFrame()
HELD = pl.DataFrame([{"line": 2, "column": "a", "raw": "x", "reason": "non_numeric", "detail": ""}], schema=REFUSED)
DAY = 86_400


def a_load(digest: str = "a" * 64, *, quotes: bool = False, is_held: bool = False) -> FileLoad:
    part = CurveQuotes("invented", "settlements", NONE, NONE) if quotes else SeriesRows(NONE, NONE)
    held = HELD if is_held else HELD.clear()
    return FileLoad(FileRecord("a.csv", digest, 1, "invented", "numbers"), (part,), held)


def noise(seed: int, size: int = 1000) -> bytes:
    """Bytes that cannot be packed."""
    return random.Random(seed).randbytes(size)


def written(path: Path, days_ago: float) -> None:
    at = path.stat().st_mtime - days_ago * DAY
    os.utime(path, (at, at))


@pytest.mark.parametrize(
    ("choice", "stored"),
    [("curves", "quotes held"), ("all", "series quotes held"), ("quarantined", "held"), ("none", "")],
)
def test_the_choice_says_which_files_are_stored(tmp_path: Path, choice: Choice, stored: str) -> None:
    files = RawFiles(tmp_path / "quarantine", choice=choice)
    loads = {"series": a_load("a" * 64), "quotes": a_load("b" * 64, quotes=True), "held": a_load("c" * 64, is_held=True)}
    for name, load in loads.items():
        files.store(load, name.encode())
    names = [name for name, load in loads.items() if has(files, load)]
    assert names == stored.split()


def has(files: RawFiles, load: FileLoad) -> bool:
    try:
        return bool(files.get(load.record.digest, name="a.csv").content)
    except RawFileMissing:
        return False


def test_a_content_is_read_back_under_the_name_it_had(tmp_path: Path) -> None:
    files = RawFiles(tmp_path / "quarantine", choice="all")
    files.store(a_load(), b"1,2\r3,4")
    assert files.get("a" * 64, name="prices.csv").content == b"1,2\r3,4"
    assert files.get("a" * 64, name="prices.csv").name == "prices.csv"


def test_without_any_stored_file_the_error_names_the_setting(tmp_path: Path) -> None:
    files = RawFiles(tmp_path / "quarantine", choice="none")
    with pytest.raises(RawFileMissing, match="AURUM_FILES__RAW_FILES is none") as error:
        files.get("a" * 64, name="prices.csv")
    assert error.value.facts["is_damaged"] is False


def test_a_damaged_copy_is_told_from_a_missing_one(tmp_path: Path) -> None:
    files = RawFiles(tmp_path / "quarantine", choice="all")
    files.store(a_load(), b"1,2")
    (path,) = tmp_path.rglob("*.gz")
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(RawFileMissing, match="is damaged") as error:
        files.get("a" * 64, name="prices.csv")
    assert error.value.facts["is_damaged"] is True


def test_the_oldest_files_make_room_and_those_in_quarantine_stay(tmp_path: Path) -> None:
    files = RawFiles(tmp_path / "quarantine", choice="all", bounds=Bounds(most_bytes=3500))
    files.store(a_load("f" * 64, is_held=True), noise(0))
    written(tmp_path / "quarantine" / f"{'f' * 64}.gz", 9)
    for seed, letter in enumerate("abc"):
        files.store(a_load(letter * 64), noise(seed))
        written(tmp_path / "raw" / (letter * 2) / f"{letter * 64}.gz", 5 - seed)
    files.store(a_load("d" * 64), noise(5))
    assert [letter for letter in "abcdf" if has(files, a_load(letter * 64))] == ["b", "c", "d", "f"]


def test_a_missing_file_says_which_setting_deleted_it_or_did_not_store_it(tmp_path: Path) -> None:
    now = SystemClock().now()
    few, young = Bounds(most_bytes=2 << 20), Bounds(most_days=30)

    def why(choice: Choice, bounds: Bounds | None = None, *, days: float = 2, quotes: bool = True) -> str:
        files = RawFiles(tmp_path / "quarantine", choice=choice, bounds=bounds)
        return files.why_missing(loaded_at=now - timedelta(days=days), has_quotes=quotes)

    assert "AURUM_FILES__RAW_FILES is curves, which does not store such a file; to store it, set it to all" in why(
        "curves", quotes=False
    )
    assert "AURUM_FILES__RAW_FILES is quarantined" in why("quarantined")
    assert "it was deleted after the 30 days of AURUM_FILES__RAW_FILES_DAYS" in why("all", young, days=31)
    elsewhere = "another machine loaded it, or its copy was deleted"
    assert elsewhere in why("all", young, days=29)
    assert elsewhere in why("all", few)
    RawFiles(tmp_path / "quarantine", choice="all").store(a_load(), b"1,2")
    assert "deleted as one of the oldest beyond the 2 MiB of AURUM_FILES__RAW_FILES_MIB" in why("all", few)
    written(tmp_path / "raw" / "aa" / f"{'a' * 64}.gz", 9)
    assert elsewhere in why("all", few)


def test_a_file_that_no_row_needs_any_more_is_bounded_like_the_others(tmp_path: Path) -> None:
    files = RawFiles(tmp_path / "quarantine", bounds=Bounds(most_days=30))
    files.store(a_load(is_held=True), b"1,2")
    written(tmp_path / "quarantine" / f"{'a' * 64}.gz", 31)
    assert files.prune() == 0
    files.release("a" * 64)
    assert files.get("a" * 64, name="a.csv").content == b"1,2"
    assert files.prune() == 1


def test_a_stored_file_with_rows_in_quarantine_is_bounded_no_longer(tmp_path: Path) -> None:
    files = RawFiles(tmp_path / "quarantine", choice="all", bounds=Bounds(most_days=30))
    files.store(a_load(), b"1,2")
    files.store(a_load(is_held=True), b"1,2")
    written(tmp_path / "quarantine" / f"{'a' * 64}.gz", 31)
    assert files.prune() == 0


def test_partial_files_of_ended_processes_are_deleted(tmp_path: Path) -> None:
    files = RawFiles(tmp_path / "quarantine", choice="all")
    files.store(a_load(), b"1,2")
    for name, days in (("new.1.part", 0.1), ("old.1.part", 2)):
        (tmp_path / "raw" / "aa" / name).write_bytes(b"1")
        written(tmp_path / "raw" / "aa" / name, days)
    assert files.prune() == 1
    assert sorted(path.name for path in (tmp_path / "raw" / "aa").iterdir()) == [f"{'a' * 64}.gz", "new.1.part"]


def test_a_file_that_cannot_be_stored_is_reported_and_logged(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"a file in place of the folder, as on a disk that takes nothing")
    files = RawFiles(tmp_path / "quarantine", choice="all")
    with capture_logs() as logs:
        reason = files.store(a_load(), b"1,2")
    assert reason.startswith("its raw file was not stored: ")
    assert [(event["event"], event["file"]) for event in logs] == [("raw file not stored", "a.csv")]
