"""Which files of history are merged, and which months a manifest says a file has."""

from __future__ import annotations

import json
import random
from datetime import date

import pytest

from aurum.storage.duckdb.compaction import FileSizes, groups
from aurum.storage.duckdb.manifest import DataFile, Manifest, ManifestUnreadable
from aurum.storage.ports.history import ArchivedPart

SIZES = FileSizes(small=64, full=192)


def file(number: int, size: int, *, month: int = 1, last: int | None = None, source: str = "fred") -> DataFile:
    first = date(1913 + month // 12, month % 12 + 1, 1)
    end = first if last is None else date(1913 + last // 12, last % 12 + 1, 1)
    return DataFile(f"{source}-{number}.parquet", source, first, end, (number,), size, size)


def merged(group: tuple[DataFile, ...]) -> DataFile:
    ids = tuple(sorted(archive_id for one in group for archive_id in one.archive_ids))
    size = sum(one.size for one in group)
    return DataFile(
        f"merged-{ids[0]}", group[0].source, min(one.first for one in group), max(one.last for one in group), ids, size, size
    )


def test_thousands_of_tiny_files_become_few_of_the_full_size() -> None:
    files = [file(number, 1, month=number) for number in range(1, 1_001)]
    small_groups = list(groups(files, SIZES))
    assert [len(group) for group in small_groups] == [192] * 5 + [40]
    assert [one.archive_ids for group in small_groups for one in group] == [one.archive_ids for one in files]


@pytest.mark.parametrize("seed", range(20))
def test_a_second_compaction_finds_nothing_to_do(seed: int) -> None:
    draw = random.Random(seed)
    files = [
        file(number, draw.choice([1, 20, 63, 64, 200]), month=draw.randrange(600), source=draw.choice(["fred", "eia"]))
        for number in range(draw.randrange(1, 80))
    ]
    small_groups = list(groups(files, SIZES))
    replaced = {one.name for group in small_groups for one in group}
    after = [*(one for one in files if one.name not in replaced), *map(merged, small_groups)]
    assert list(groups(after, SIZES)) == []
    assert all(sum(one.size for one in group) <= SIZES.full for group in small_groups)
    assert all(len({one.source for one in group}) == 1 for group in small_groups)


def test_large_files_and_single_ones_stay() -> None:
    assert list(groups([file(1, 64), file(2, 63), file(3, 5, source="eia")], SIZES)) == []


def part(month: date, archive_id: int, source: str = "fred") -> ArchivedPart:
    return ArchivedPart(1, month, archive_id, source, 1, 0)


def test_a_file_of_several_months_is_found_by_each_of_them() -> None:
    wide, narrow = file(1, 10, month=1, last=30), file(2, 10, month=3)
    manifest = Manifest.decode(Manifest((wide, narrow)).encode())
    assert manifest.files == (wide, narrow)
    assert manifest.file_of(part(date(1914, 5, 1), 1)) == wide
    assert manifest.file_of(part(date(1920, 1, 1), 1)) is None
    assert manifest.file_of(part(narrow.first, 2)) == narrow
    assert manifest.file_of(part(narrow.first, 2, "eia")) is None


def test_releases_that_know_files_of_one_month_only_refuse_a_manifest_with_others() -> None:
    assert json.loads(Manifest((file(1, 1),)).encode())["format"] == 1
    assert json.loads(Manifest((file(1, 1), file(2, 1, last=3))).encode())["format"] == 2
    with pytest.raises(ManifestUnreadable, match="format 3"):
        Manifest.decode(b'{"format": 3, "files": [], "retired": []}')
