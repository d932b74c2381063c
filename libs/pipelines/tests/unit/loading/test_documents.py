import gzip
import io
import zipfile
from pathlib import Path

import pytest

from aurum.pipelines.loading.documents import FoundFiles, NoSuchPath, find_files, read_source_files
from aurum.pipelines.loading.no_data import Skipped
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
    assert [path.name for path in files.files] == ["a.csv", "b.csv"]
    assert [path.name for path in files.skipped] == [".hidden"]


NO_DATA = [
    "README",
    "README.txt",
    "readme.md",
    "MANIFEST.md",
    "manifest.json",
    "LICENSE",
    "notes.md",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "a.csv.md5",
    "a.csv.sha256",
    "SHA256SUMS",
    "._a.csv",
]


def test_files_that_are_plainly_no_data_are_skipped_in_folders_globs_and_archives(tmp_path: Path) -> None:
    (tmp_path / "__MACOSX").mkdir()
    for name in ("a.csv", "readmission.csv", "__MACOSX/b.csv", *NO_DATA):
        (tmp_path / name).write_text("x")
    listed = find_files([str(tmp_path)])
    assert [path.name for path in listed.files] == ["a.csv", "readmission.csv"]
    assert {path.name for path in listed.skipped} == {*NO_DATA, "b.csv"}
    assert [path.name for path in find_files([str(tmp_path / "*.md")]).skipped] == ["MANIFEST.md", "notes.md", "readme.md"]
    archive = tmp_path / "month.zip"
    archive.write_bytes(zipped(**{"a.csv": b"1", **dict.fromkeys(NO_DATA, b"x"), "__MACOSX/._a.csv": b"x"}))
    members = list(read_source_files(archive))
    assert [one.name for one in members if isinstance(one, SourceFile)] == ["a.csv"]
    assert sum(isinstance(one, Skipped) for one in members) == len(NO_DATA) + 1


def test_a_file_that_is_named_is_tried_whatever_its_name_is(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("x")
    assert find_files([str(path), str(tmp_path)]) == FoundFiles((path,))
    assert list(read_source_files(path)) == [SourceFile("README.md", b"x")]
    packed = tmp_path / "README.md.gz"
    packed.write_bytes(gzip.compress(b"x"))
    assert list(read_source_files(packed)) == [SourceFile("README.md", b"x", "README.md.gz")]


def test_a_pattern_without_a_match_is_an_error_that_names_it() -> None:
    with pytest.raises(NoSuchPath, match=r"nowhere/\*\.csv"):
        find_files(["nowhere/*.csv"])


@pytest.mark.parametrize("pattern", ["", " "])
def test_an_empty_path_is_not_the_present_folder(pattern: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("1")
    with pytest.raises(NoSuchPath, match="an empty path"):
        find_files([pattern])


def test_archives_in_archives_are_opened() -> None:
    content = zipped(**{"day/a.csv": b"1", "b.zip": zipped(**{"c.csv": b"2"}), "d.csv.gz": gzip.compress(b"3")})
    documents = list(unpack("month.zip", content))
    assert [(document.name, document.content) for document in documents] == [("a.csv", b"1"), ("c.csv", b"2"), ("d.csv", b"3")]


def test_a_member_names_the_archive_that_it_came_in() -> None:
    content = zipped(**{"day/a.csv": b"1", "b.zip": zipped(**{"c.csv": b"2"})})
    members = [one for one in unpack("month.zip", content) if isinstance(one, SourceFile)]
    assert [(one.name, one.archive) for one in members] == [("a.csv", "month.zip"), ("c.csv", "month.zip")]
    (alone,) = unpack("a.csv", b"1")
    assert isinstance(alone, SourceFile)
    assert alone.archive == ""


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
