"""Archives within bounds: bombs, nests and damaged members are reported, and the other members are read."""

from __future__ import annotations

import zipfile
from random import Random

import pytest

from aurum.common.settings import FilesSettings
from aurum.pipelines.isolation import Limits
from aurum.pipelines.loading.documents import FILE_BYTES
from aurum.pipelines.loading.isolated import IsolatedFiles, bounds_of
from aurum.pipelines.loading.unpacking import ArchiveBounds, Unreadable, unpack
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.bombs import MEBIBYTE, repeated_gzip, with_repeated, zipped

GOOD = {"good.csv": b"a,b\n1,2\n"}
ZEROS = bytes(MEBIBYTE)


def reasons(name: str, content: bytes, bounds: ArchiveBounds | None = None) -> list[str]:
    return [member.reason for member in unpack(name, content, bounds) if isinstance(member, Unreadable)]


def names(name: str, content: bytes, bounds: ArchiveBounds | None = None) -> list[str]:
    return [member.name for member in unpack(name, content, bounds) if isinstance(member, SourceFile)]


def bomb(mebibytes: int) -> bytes:
    return with_repeated(zipped(GOOD), "bomb.csv", (b"a\n", ZEROS, b"\n"), mebibytes)


def test_a_bomb_is_refused_by_its_ratio_and_the_members_before_it_are_read() -> None:
    assert names("x.zip", bomb(100)) == ["good.csv"]
    (reason,) = reasons("x.zip", bomb(100))
    assert reason == "the archive unpacks to more than 200 times its size, the limit of AURUM_FILES__ARCHIVE_RATIO"


def test_a_gzip_bomb_is_refused_by_its_ratio() -> None:
    (reason,) = reasons("x.csv.gz", repeated_gzip(ZEROS, 100))
    assert "more than 200 times its size" in reason


def test_bombs_in_archives_count_together() -> None:
    nested = zipped({f"{number}.zip": bomb(30) for number in range(4)})
    assert any("times its size" in reason for reason in reasons("x.zip", nested))


def test_a_member_above_the_bound_is_reported_and_the_next_one_is_read() -> None:
    archive = zipped({"large.csv": bytes(3 * MEBIBYTE), "last.csv": b"1"})
    bounds = ArchiveBounds(member_bytes=2 * MEBIBYTE)
    assert reasons("x.zip", archive, bounds) == ["unpacks to more than 2 MiB, the limit of AURUM_FILES__MEMBER_MIB"]
    assert names("x.zip", archive, bounds) == ["last.csv"]


def test_the_whole_archive_has_a_bound() -> None:
    archive = zipped({f"{number}.csv": bytes(MEBIBYTE) for number in range(5)})
    bounds = ArchiveBounds(total_bytes=3 * MEBIBYTE)
    assert len(names("x.zip", archive, bounds)) == 3
    assert reasons("x.zip", archive, bounds) == [
        "the archive unpacks to more than 3 MiB, the limit of AURUM_FILES__ARCHIVE_MIB"
    ]


def test_archives_within_each_other_have_a_bound() -> None:
    nested = zipped(GOOD)
    for level in range(3):
        nested = zipped({f"{level}.zip": nested, "beside.csv": b"1"})
    assert reasons("x.zip", nested) == ["more than 3 archives within each other, the limit of AURUM_FILES__ARCHIVE_LEVELS"]
    assert names("x.zip", nested) == ["beside.csv"] * 3


def test_the_number_of_members_has_a_bound() -> None:
    archive = zipped({f"{number}.csv": b"1" for number in range(5)})
    bounds = ArchiveBounds(members=3)
    assert len(names("x.zip", archive, bounds)) == 3
    assert reasons("x.zip", archive, bounds) == [
        "the archive has more than 3 members, the limit of AURUM_FILES__ARCHIVE_MEMBERS"
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_no_damage_raises_and_no_damage_of_one_member_loses_the_others(method: int) -> None:
    archive = zipped({"first.csv": Random(1).randbytes(400), "last.csv": b"1"}, method=method)
    for place in range(40, 80):
        damaged = bytearray(archive)
        damaged[place] ^= 0xFF
        assert "last.csv" in names("x.zip", bytes(damaged))
    for place in range(len(archive)):
        damaged = bytearray(archive)
        damaged[place] ^= 0xFF
        list(unpack("x.zip", bytes(damaged)))


def test_a_large_member_is_read_whole() -> None:
    content = bytes(range(256)) * 16 * 1024
    (member,) = unpack("x.zip", zipped({"a.csv": content}))
    assert isinstance(member, SourceFile)
    assert member.content == content


def test_bounds_without_settings_are_the_defaults_of_the_settings() -> None:
    settings = FilesSettings()
    assert bounds_of(settings) == ArchiveBounds()
    assert IsolatedFiles(settings).children.limits == Limits()
    assert settings.file_mib << 20 == FILE_BYTES
