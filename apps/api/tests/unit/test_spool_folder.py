"""The files of spooled answers: one writer each, complete or absent, for a limited time and within limits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aurum.api.http.problems import AnswerTooLarge
from aurum.api.spool.folder import SpoolFolder, SpoolKey, spool_key
from aurum.api.testing import MovableClock
from aurum.common.settings import SpoolSettings
from aurum.core.access import Caller, Permission
from aurum.core.errors import RateLimited, Unavailable

HEADERS = (("content-type", "text/csv; charset=utf-8"),)


def caller_of(tenant: str = "acme", subject: str = "key:1", *scopes: Permission) -> Caller:
    return Caller(tenant, subject, frozenset(scopes))


def key_of(query: bytes = b"format=csv", *, tenant: str = "acme", subject: str = "key:1", link: str = "") -> SpoolKey:
    return spool_key(caller_of(tenant, subject), link, b"/v2/observations", query, "csv")


KEY = key_of()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime(2026, 11, 29, 12, tzinfo=UTC))


def folder_of(path: Path, clock: MovableClock, **limits: float) -> SpoolFolder:
    return SpoolFolder(path / "spool", SpoolSettings.model_validate(limits), clock)


@pytest.fixture
def folder(tmp_path: Path, clock: MovableClock) -> SpoolFolder:
    return folder_of(tmp_path, clock)


def put(folder: SpoolFolder, key: SpoolKey, content: bytes) -> None:
    writer = folder.claim(key)
    assert writer is not None
    try:
        writer.write(content)
        writer.finish('"data"', HEADERS, "/v2/observations")
    finally:
        writer.give_up()


def content_of(folder: SpoolFolder, key: SpoolKey) -> bytes | None:
    spooled = folder.open(key)
    if spooled is None:
        return None
    try:
        return spooled.read(0, spooled.head.size)
    finally:
        spooled.close()


def names(path: Path) -> Iterator[str]:
    yield from (file.name for file in path.rglob("*") if file.is_file())


def test_an_answer_is_there_for_every_process_once_it_is_complete(
    folder: SpoolFolder, tmp_path: Path, clock: MovableClock
) -> None:
    writer = folder.claim(KEY)
    assert writer is not None
    writer.write(b"a,b\n")
    other_process = folder_of(tmp_path, clock)
    assert content_of(other_process, KEY) is None
    assert not other_process.is_current(KEY)
    writer.write(b"1,2\n")
    writer.finish('"data"', HEADERS, "/v2/observations")
    assert content_of(other_process, KEY) == b"a,b\n1,2\n"
    assert other_process.is_current(KEY)
    spooled = other_process.open(KEY)
    assert spooled is not None
    assert spooled.read(2, 3) == b"b\n1"
    assert (spooled.head.headers, spooled.head.data_tag, spooled.head.route) == (HEADERS, '"data"', "/v2/observations")
    spooled.close()


def test_one_writer_has_an_answer_at_a_time(folder: SpoolFolder) -> None:
    writer = folder.claim(KEY)
    assert writer is not None
    assert folder.claim(KEY) is None
    assert folder.claim(key_of(b"other")) is not None
    writer.give_up()
    again = folder.claim(KEY)
    assert again is not None
    again.give_up()


def test_equal_bytes_have_equal_tags_and_other_bytes_others(folder: SpoolFolder) -> None:
    contents = {b"1": b"same", b"2": b"same", b"3": b"other", b"4": b""}
    tags = {}
    for query, content in contents.items():
        put(folder, key_of(query), content)
        spooled = folder.open(key_of(query))
        assert spooled is not None
        tags[query] = spooled.head.tag
        spooled.close()
    assert tags[b"1"] == tags[b"2"]
    assert len(set(tags.values())) == 3
    assert all(tag.startswith('"') and tag.endswith('"') for tag in tags.values())


def test_an_answer_ends_after_its_time_and_can_be_made_anew(folder: SpoolFolder, clock: MovableClock) -> None:
    put(folder, KEY, b"old")
    clock.at += timedelta(seconds=59)
    assert content_of(folder, KEY) == b"old"
    spooled = folder.open(KEY)
    assert spooled is not None
    clock.at += timedelta(seconds=1)
    assert content_of(folder, KEY) is None
    put(folder, KEY, b"new")
    assert content_of(folder, KEY) == b"new"
    assert spooled.read(0, 3) == b"old", "a reader that has begun reads on"
    spooled.close()


def test_a_clock_that_was_set_back_does_not_make_an_answer_last(folder: SpoolFolder, clock: MovableClock) -> None:
    put(folder, KEY, b"old")
    clock.at -= timedelta(days=1)
    assert content_of(folder, KEY) is None


def test_credentials_links_tenants_and_addresses_have_answers_of_their_own() -> None:
    keys = {
        KEY,
        key_of(b"format=csv&x"),
        key_of(subject="key:2"),
        key_of(tenant="bolt"),
        key_of(link="abc"),
        spool_key(caller_of(), "", b"/v2/observations", b"format=csv", "parquet"),
        spool_key(caller_of("acmekey", ":1"), "", b"/v2/observations", b"format=csv", "csv"),
    }
    assert len(keys) == 7
    assert len({key.tenant for key in keys}) == 3


def test_each_set_of_scopes_of_a_subject_has_answers_of_its_own() -> None:
    read, private = Permission.SERIES_READ, Permission.PRIVATE_READ
    keys = [
        spool_key(caller_of("acme", "key:1", *scopes), "", b"/v2/observations", b"format=csv", "csv")
        for scopes in ((), (read,), (read, private), (private, read))
    ]
    assert len(set(keys)) == 3
    assert keys[2] == keys[3], "in any order"


def test_no_part_of_a_request_becomes_a_path(folder: SpoolFolder, tmp_path: Path) -> None:
    put(folder, spool_key(caller_of("../../acme", "key:/../1"), "../l", b"/v2/../../etc/passwd", b"\0../..", "csv"), b"x")
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.parent.parent == tmp_path / "spool"
    assert set(file.name + file.parent.name) <= set("0123456789abcdef")
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_an_answer_that_is_too_long_is_remembered_as_such(tmp_path: Path, clock: MovableClock) -> None:
    folder = folder_of(tmp_path, clock, answer_bytes=10)
    writer = folder.claim(KEY)
    assert writer is not None
    writer.write(b"12345")
    with pytest.raises(AnswerTooLarge) as refused:
        writer.write(b"678901")
    assert "GET without Range" in refused.value.detail
    writer.finish("", (), "", limit=refused.value.limit)
    spooled = folder.open(KEY)
    assert spooled is not None
    assert (spooled.head.limit, spooled.head.size) == (10, 0)
    spooled.close()


def test_a_tenant_has_room_for_so_many_bytes_and_for_so_many_files(tmp_path: Path, clock: MovableClock) -> None:
    folder = folder_of(tmp_path, clock, tenant_bytes=300_000)
    for number in range(4):
        put(folder, key_of(b"%d" % number), b"x")  # 64 KiB each, however short
    put(folder, key_of(tenant="bolt"), b"x")
    with pytest.raises(RateLimited) as refused:
        put(folder, key_of(b"5"), b"x" * 40_000)
    assert refused.value.retry_after == 60
    clock.at += timedelta(seconds=60)
    put(folder, key_of(b"5"), b"x" * 40_000)
    assert len([*names(tmp_path)]) == 1, "what has ended makes room"


def test_all_tenants_together_have_room_for_so_many_bytes(tmp_path: Path, clock: MovableClock) -> None:
    folder = folder_of(tmp_path, clock, most_bytes=200_000)
    for tenant in ("a", "b", "c"):
        put(folder, key_of(tenant=tenant), b"x")
    with pytest.raises(Unavailable):
        put(folder, key_of(tenant="d"), b"x" * 10_000)


def test_a_long_answer_is_counted_while_it_is_written(tmp_path: Path, clock: MovableClock) -> None:
    folder = folder_of(tmp_path, clock, tenant_bytes=20 << 20)
    writer = folder.claim(KEY)
    assert writer is not None
    for _ in range(16):
        writer.write(bytes(1 << 20))
    with pytest.raises(RateLimited):
        writer.write(bytes(8 << 20))
    writer.give_up()
    assert [*names(tmp_path)] == []


def test_a_sweep_removes_what_has_ended_and_leaves_what_is_being_written(
    folder: SpoolFolder, tmp_path: Path, clock: MovableClock
) -> None:
    put(folder, KEY, b"old")
    writer = folder.claim(key_of(b"1"))
    assert writer is not None
    clock.at += timedelta(seconds=119)
    assert folder.sweep() == 0
    clock.at += timedelta(seconds=1)
    assert folder.sweep() == 1
    writer.write(b"1")
    writer.finish("", HEADERS, "")
    assert content_of(folder, key_of(b"1")) == b"1"


@pytest.mark.parametrize("removes", ["sweep", "count"])
def test_what_was_completed_meanwhile_is_not_removed_in_place_of_what_has_ended(
    folder: SpoolFolder, tmp_path: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, removes: str
) -> None:
    put(folder, KEY, b"old")
    clock.at += timedelta(seconds=120)
    other_process = folder_of(tmp_path, clock)
    looked_at, completed = [], []
    unlink = os.unlink

    def unlink_late(path: str) -> None:
        if not path.endswith(".part") and not looked_at:
            looked_at.append(path)
            writer = other_process.claim(KEY)
            completed.append(writer is not None)
            if writer is not None:
                writer.write(b"new")
                writer.finish('"data"', HEADERS, "/v2/observations")
        unlink(path)

    with monkeypatch.context() as patch:
        patch.setattr("aurum.api.spool.folder.os.unlink", unlink_late)
        if removes == "sweep":
            folder.sweep()
        else:
            folder.check_room(KEY.tenant, 0)
    assert len(looked_at) == 1
    if completed == [True]:
        assert content_of(folder, KEY) == b"new"
    put(folder, KEY, b"later")
    assert content_of(folder, KEY) == b"later"


def test_what_has_ended_stays_while_it_is_being_replaced(folder: SpoolFolder, clock: MovableClock, tmp_path: Path) -> None:
    put(folder, KEY, b"old")
    clock.at += timedelta(seconds=120)
    writer = folder.claim(KEY)
    assert writer is not None
    folder.sweep()
    writer.write(b"new")
    writer.finish('"data"', HEADERS, "/v2/observations")
    assert folder.sweep() == 0
    assert content_of(folder, KEY) == b"new"
    assert len([*names(tmp_path)]) == 1


@pytest.mark.needs_process
def test_what_a_killed_process_left_is_swept_and_its_place_is_free(folder: SpoolFolder, tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        writer = folder.claim(KEY)
        if writer is not None:
            writer.write(b"half of an answer")
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert [name.endswith(".part") for name in names(tmp_path)] == [True]
    assert content_of(folder, KEY) is None
    assert folder.sweep() == 1
    put(folder, KEY, b"whole")
    child = os.fork()
    if child == 0:
        folder.claim(key_of(b"1"))
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    put(folder, key_of(b"1"), b"without a sweep")
    assert content_of(folder, key_of(b"1")) == b"without a sweep"


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff" * 9_000, b"[]".ljust(8_192) + b"x"])
def test_a_damaged_file_is_absent(folder: SpoolFolder, tmp_path: Path, damage: bytes) -> None:
    put(folder, KEY, b"content")
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    stamp = file.stat().st_mtime
    file.write_bytes(damage)
    os.utime(file, (stamp, stamp))
    assert content_of(folder, KEY) is None
    put(folder, KEY, b"again")
    assert content_of(folder, KEY) == b"again"


def test_a_truncated_file_is_absent(folder: SpoolFolder, tmp_path: Path) -> None:
    put(folder, KEY, b"content")
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    stamp = file.stat().st_mtime
    os.truncate(file, file.stat().st_size - 1)
    os.utime(file, (stamp, stamp))
    assert content_of(folder, KEY) is None


def test_a_folder_that_cannot_be_used_says_so_and_names_no_path_to_clients(tmp_path: Path, clock: MovableClock) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    folder = folder_of(tmp_path, clock)
    assert not folder.is_current(KEY)
    with pytest.raises(Unavailable) as refused:
        folder.claim(KEY)
    assert str(tmp_path) not in refused.value.detail
    assert "GET without Range works" in refused.value.detail
    assert str(tmp_path) in refused.value.operator_detail
