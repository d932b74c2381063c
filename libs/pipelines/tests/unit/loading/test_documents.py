import gzip
import io
import zipfile
from pathlib import Path

import pytest

from aurum.pipelines.loading.documents import NoSuchPath, find_files, read_source_files
from aurum.pipelines.loading.unpacking import Unreadable, unpack
from aurum.pipelines.source import SourceFile


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_folders_and_globs_name_each_file_once_in_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden"):
        (tmp_path / name).write_text("x")
    files = find_files([str(tmp_path), str(tmp_path / "*.csv")])
    assert [path.name for path in files] == ["a.csv", "b.csv"]


def test_a_pattern_without_a_match_is_an_error_that_names_it() -> None:
    with pytest.raises(NoSuchPath, match=r"nowhere/\*\.csv"):
        find_files(["nowhere/*.csv"])


def test_archives_in_archives_are_opened() -> None:
    content = zipped(**{"day/a.csv": b"1", "b.zip": zipped(**{"c.csv": b"2"}), "d.csv.gz": gzip.compress(b"3")})
    documents = list(unpack("month.zip", content))
    assert [(document.name, document.content) for document in documents] == [("a.csv", b"1"), ("c.csv", b"2"), ("d.csv", b"3")]


@pytest.mark.parametrize("name", ["broken.zip", "broken.csv.gz"])
def test_a_damaged_archive_is_reported_and_raises_nothing(name: str) -> None:
    (only,) = list(unpack(name, b"not an archive"))
    assert isinstance(only, Unreadable)
    assert "damaged archive" in only.reason


def test_a_truncated_gzip_is_damaged() -> None:
    (only,) = list(unpack("x.gz", gzip.compress(b"y" * 1000)[:-9]))
    assert isinstance(only, Unreadable)


def test_a_file_that_is_no_archive_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x,y")
    assert list(read_source_files(path)) == [SourceFile("a.csv", b"x,y")]
