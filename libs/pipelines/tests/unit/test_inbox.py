"""The inbox: which files are loaded, when, and where they are afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aurum.core.errors import Unavailable
from aurum.pipelines.inbox import Inbox, InboxReport, NoInbox
from aurum.pipelines.loading.load import FileOutcome, FileReport


def write(path: Path, content: str) -> None:
    path.write_text(content)


def written(path: Path) -> str:
    return path.read_text()


class Loads:
    """Loads of files: one with ``bad`` in its name is refused, one with ``away`` finds no store."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def __call__(self, path: Path) -> AsyncIterator[FileReport]:
        content = written(path)
        self.names.append(path.name)
        if "away" in path.name:
            raise Unavailable("the database does not answer")
        outcome = FileOutcome.REFUSED if "bad" in path.name else FileOutcome.APPLIED
        outcome = FileOutcome.SKIPPED if path.name == "README.md" else outcome
        yield FileReport(path.name, content, outcome, reason="no header" if outcome is FileOutcome.REFUSED else "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def loads() -> Loads:
    return Loads()


def inbox(folder: Path, loads: Loads, *, moves: bool = True, needs_marker: bool = False) -> Inbox:
    return Inbox(folder, folder.parent / "data" / "inbox.json", loads, moves=moves, needs_marker=needs_marker)


async def twice(box: Inbox) -> InboxReport:
    await box.scan()
    return await box.scan()


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or path.is_symlink())


async def test_a_file_is_loaded_when_two_looks_saw_the_same(folder: Path, loads: Loads) -> None:
    (folder / "a.csv").write_text("1")
    box = inbox(folder, loads)
    assert (await box.scan()).files == {"waiting": 1}
    (folder / "a.csv").write_text("1,2")
    assert (await box.scan()).files == {"waiting": 1}
    assert (await box.scan()).files == {"loaded": 1}
    assert (await box.scan()).files == {}
    assert loads.names == ["a.csv"]
    assert files(folder) == ["loaded/a.csv"]


async def test_a_marker_says_that_a_file_is_whole(folder: Path, loads: Loads) -> None:
    (folder / "a.csv").write_text("1")
    (folder / "a.csv.done").touch()
    assert (await inbox(folder, loads).scan()).files == {"loaded": 1}
    assert files(folder) == ["loaded/a.csv"]


async def test_where_markers_are_needed_a_file_waits_for_its_own(folder: Path, loads: Loads) -> None:
    (folder / "a.csv").write_text("1")
    box = inbox(folder, loads, needs_marker=True)
    assert (await twice(box)).files == {"waiting": 1}
    (folder / "a.csv.done").touch()
    assert (await box.scan()).files == {"loaded": 1}


async def test_a_refused_file_has_its_reason_beside_it(folder: Path, loads: Loads) -> None:
    (folder / "bad.csv").write_text("1")
    assert (await twice(inbox(folder, loads))).files == {"refused": 1}
    assert (folder / "refused" / "bad.csv.reason.txt").read_text() == "bad.csv: no header\n"
    assert files(folder) == ["refused/bad.csv", "refused/bad.csv.reason.txt"]


async def test_a_file_that_holds_no_data_by_its_name_is_refused(folder: Path, loads: Loads) -> None:
    (folder / "README.md").write_text("hello")
    await twice(inbox(folder, loads))
    assert "holds no data" in (folder / "refused" / "README.md.reason.txt").read_text()


async def test_a_second_file_of_a_name_does_not_replace_the_first(folder: Path, loads: Loads) -> None:
    box = inbox(folder, loads)
    for content in "12":
        (folder / "a.csv").write_text(content)
        await twice(box)
    assert files(folder) == ["loaded/a.1.csv", "loaded/a.csv"]


async def test_a_crash_between_load_and_move_loads_again_what_changes_nothing(folder: Path, loads: Loads) -> None:
    (folder / "a.csv").write_text("1")
    box = inbox(folder, loads)
    await box.scan()
    before = (folder.parent / "data" / "inbox.json").read_bytes()
    await box.scan()
    # As if the process had ended after the load: the file is still there, and the memory is that of the first look.
    (folder / "loaded" / "a.csv").rename(folder / "a.csv")
    (folder.parent / "data" / "inbox.json").write_bytes(before)
    assert (await box.scan()).files == {"loaded": 1}
    assert loads.names == ["a.csv", "a.csv"]
    assert files(folder) == ["loaded/a.csv"]


async def test_a_file_that_changes_while_it_is_loaded_is_loaded_again(folder: Path, loads: Loads) -> None:
    (folder / "a.csv").write_text("1")

    async def growing(path: Path) -> AsyncIterator[FileReport]:
        async for report in loads(path):
            yield report
        write(path, "1,2,3")

    box = Inbox(folder, folder.parent / "data" / "inbox.json", growing)
    await box.scan()
    assert (await box.scan()).files == {"changed": 1}
    assert (await twice(inbox(folder, loads))).files == {"loaded": 1}


async def test_files_that_are_left_are_loaded_once(folder: Path, loads: Loads) -> None:
    (folder / "a.csv").write_text("1")
    box = inbox(folder, loads, moves=False)
    await twice(box)
    await twice(box)
    assert loads.names == ["a.csv"]
    (folder / "a.csv").write_text("1,2")
    await twice(box)
    assert loads.names == ["a.csv", "a.csv"]
    assert files(folder) == ["a.csv"]


async def test_partial_hidden_and_strange_files_and_links_are_left(folder: Path, loads: Loads, tmp_path: Path) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_text("1")
    (folder / "link.csv").symlink_to(outside)
    (folder / "sub").mkdir()
    (folder / "sub" / "deep.csv").write_text("1")
    os.mkfifo(folder / "pipe.csv")
    for name in (".hidden.csv", "a.csv.part", "b.tmp", "new\nline.csv", "bell\x07.csv"):
        (folder / name).write_text("1")
    write(Path(os.fsdecode(os.fsencode(folder) + b"/bytes\xff.csv")), "1")
    before = files(folder)
    report = await twice(inbox(folder, loads))
    assert (report.files, loads.names) == ({}, [])
    assert report.left == {
        "'link.csv'": "a link",
        "'pipe.csv'": "no file",
        "'sub'": "no file",
        "'new\\nline.csv'": "its name has characters that cannot be printed",
        "'bell\\x07.csv'": "its name has characters that cannot be printed",
        "'bytes\\udcff.csv'": "its name has characters that cannot be printed",
    }
    assert json.dumps(report.left).isascii()
    assert files(folder) == before


async def test_names_of_other_alphabets_and_of_full_length_are_loaded(folder: Path, loads: Loads) -> None:
    for name in ("preise für morgen.csv", "bad" + "ü" * 120 + ".csv"):
        (folder / name).write_text("1")
    assert (await twice(inbox(folder, loads))).files == {"loaded": 1, "refused": 1}


async def test_a_store_that_is_away_leaves_the_file_for_the_next_scan(folder: Path, loads: Loads) -> None:
    (folder / "away.csv").write_text("1")
    box = inbox(folder, loads)
    await box.scan()
    with pytest.raises(Unavailable):
        await box.scan()
    assert files(folder) == ["away.csv"]


async def test_a_scan_that_ends_early_remembers_what_it_has_loaded(folder: Path, loads: Loads) -> None:
    for name in ("a.csv", "away.csv", "b.csv"):
        (folder / name).write_text("1")
    box = inbox(folder, loads, moves=False)
    await box.scan()
    with pytest.raises(Unavailable):
        await box.scan()
    (folder / "away.csv").unlink()
    assert (await box.scan()).files == {"loaded": 1}
    assert loads.names == ["a.csv", "away.csv", "b.csv"]


async def test_a_damaged_memory_is_begun_anew(folder: Path, loads: Loads) -> None:
    (folder / "a.csv").write_text("1")
    box = inbox(folder, loads)
    await box.scan()
    (folder.parent / "data" / "inbox.json").write_text("{")
    assert (await twice(box)).files == {"loaded": 1}


async def test_a_missing_folder_is_named(tmp_path: Path, loads: Loads) -> None:
    with pytest.raises(NoInbox, match=r"AURUM_INBOX__FOLDER .*cannot be read: No such file"):
        await inbox(tmp_path / "none", loads).scan()
