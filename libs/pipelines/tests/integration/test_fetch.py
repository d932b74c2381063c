"""The fetcher against a real server on loopback that serves sample files, and fails on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import UnknownName
from aurum.pipelines.fetch.client import (
    DownloadLimits,
    FetchedFile,
    Fetcher,
    FetchFailed,
    FetchRefused,
    NoPublicFile,
    NotPublished,
    TooLarge,
)
from aurum.pipelines.registry import default_registry
from aurum.storage.testing.http_server import running_server

SAMPLE = Path(__file__).parents[2] / "src/aurum/pipelines/sample/nyiso/20251102damlbmp_zone.csv"
DAY = date(2025, 11, 2)
IMPATIENT = DownloadLimits(first_wait_s=0.001, longest_wait_s=0.01)


@dataclass
class Publisher:
    """A server that gives ``answers`` in turn and repeats the last one. ``requested_paths``: paths of its requests."""

    answers: list[str] = field(default_factory=lambda: ["file"])
    requested_paths: list[str] = field(default_factory=list)
    port: int = 0

    def address(self, url: str) -> str:
        return f"http://127.0.0.1:{self.port}{urlsplit(url).path}"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    state = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requested_paths.append(self.path)
            answer = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            status, _, wait_s = answer.partition(" after ")
            if status.isdigit():
                self.send_response(int(status))
                self.send_header("Content-Length", "0")
                if wait_s:
                    self.send_header("Retry-After", wait_s)
                self.end_headers()
                return
            content = SAMPLE.read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Last-Modified", "Sat, 01 Nov 2025 15:00:00 GMT")
            self.end_headers()
            self.wfile.write(content if answer == "file" else content[:100])
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    with running_server(server):
        yield state


async def fetch(publisher: Publisher, folder: Path, dataset: str = "damlbmp_zone", source: str = "nyiso") -> FetchedFile:
    async with Fetcher(folder, address=publisher.address, limits=IMPATIENT) as fetcher:
        return await fetcher.fetch(default_registry().source(source), dataset, DAY)


async def test_a_days_file_comes_whole_under_its_name_with_the_time_it_was_available(
    publisher: Publisher, tmp_path: Path
) -> None:
    async with Fetcher(tmp_path, address=publisher.address) as fetcher:
        fetched = await fetcher.fetch(default_registry().source("nyiso"), "damlbmp_zone", DAY)
    assert fetched.path.read_bytes() == SAMPLE.read_bytes()
    assert "20251102damlbmp_zone" in publisher.requested_paths[0]
    assert fetched.known_at.basis is KnownAtBasis.AVAILABLE
    assert fetched.known_at.time == datetime(2025, 11, 1, 15, tzinfo=UTC)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("failure", ["503", "429", "cut off"])
async def test_a_failure_that_may_pass_is_tried_again(publisher: Publisher, tmp_path: Path, failure: str) -> None:
    publisher.answers = [failure, failure, "file"]
    await fetch(publisher, tmp_path)
    assert len(publisher.requested_paths) == 3
    assert [path.suffix for path in files_in(tmp_path)] == [".csv"]


@pytest.mark.parametrize("failure", ["503", "cut off"])
async def test_a_failure_that_does_not_pass_ends_and_leaves_no_file(publisher: Publisher, tmp_path: Path, failure: str) -> None:
    publisher.answers = [failure]
    with pytest.raises(FetchFailed):
        await fetch(publisher, tmp_path)
    assert len(publisher.requested_paths) == 5
    assert files_in(tmp_path) == []


async def test_a_publisher_that_names_a_wait_is_tried_again_after_that_wait(publisher: Publisher, tmp_path: Path) -> None:
    publisher.answers = ["503 after 0", "429 after 0", "file"]
    hours = DownloadLimits(first_wait_s=3600.0, longest_wait_s=3600.0)
    async with Fetcher(tmp_path, address=publisher.address, limits=hours) as fetcher:
        await fetcher.fetch(default_registry().source("nyiso"), "damlbmp_zone", DAY)
    assert len(publisher.requested_paths) == 3


async def test_a_publisher_that_names_too_long_a_wait_is_not_tried_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.answers = ["503 after 600"]
    with pytest.raises(FetchFailed, match="asks to wait 600 s") as caught:
        await fetch(publisher, tmp_path)
    assert caught.value.retry_after == 600
    assert len(publisher.requested_paths) == 1


async def test_404_means_not_published_and_is_not_tried_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.answers = ["404"]
    with pytest.raises(NotPublished, match="no file for 2025-11-02"):
        await fetch(publisher, tmp_path)
    assert len(publisher.requested_paths) == 1


async def test_403_is_not_tried_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.answers = ["403"]
    with pytest.raises(FetchRefused, match="the publisher refused the request with status 403"):
        await fetch(publisher, tmp_path)
    assert len(publisher.requested_paths) == 1


async def test_a_file_that_is_too_large_leaves_nothing_behind(publisher: Publisher, tmp_path: Path) -> None:
    async with Fetcher(tmp_path, address=publisher.address, limits=DownloadLimits(most_bytes=1000)) as fetcher:
        with pytest.raises(TooLarge, match="limit of 1,000 bytes"):
            await fetcher.fetch(default_registry().source("nyiso"), "damlbmp_zone", DAY)
    assert files_in(tmp_path) == []


async def test_files_of_two_days_do_not_overwrite_each_other(publisher: Publisher, tmp_path: Path) -> None:
    async with Fetcher(tmp_path, address=publisher.address) as fetcher:
        source = default_registry().source("nyiso")
        files = [await fetcher.fetch(source, "damlbmp_zone", day) for day in (DAY, date(2025, 11, 3))]
    assert len({one.path for one in files}) == 2
    assert all(one.path.read_bytes() == SAMPLE.read_bytes() for one in files)


async def test_a_dataset_without_public_files_says_so(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(NoPublicFile, match="pjm:da_hrl_lmps"):
        await fetch(publisher, tmp_path, "da_hrl_lmps", "pjm")


async def test_an_unknown_dataset_is_answered_with_the_nearest(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="damlbmp_zone"):
        await fetch(publisher, tmp_path, "damlbmp_zon")
