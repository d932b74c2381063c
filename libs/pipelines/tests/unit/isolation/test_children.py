"""A parser that crashes, hangs or fills the memory costs its own file and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aurum.common.clock import SystemClock
from aurum.common.settings import FilesSettings
from aurum.core.errors import Unavailable
from aurum.pipelines.isolation import Children, Limits, Message
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.prepare import Prepared, prepare
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.testing.bombs import zipped
from aurum.pipelines.testing.misbehaving import misbehaving, misbehaving_registry

pytestmark = pytest.mark.needs_process

NOW = SystemClock().now()
REGISTRY = "aurum.pipelines.testing.misbehaving:misbehaving_registry"


def isolated(settings: FilesSettings) -> Iterator[IsolatedFiles]:
    files = IsolatedFiles(settings, registry=REGISTRY)
    yield files
    files.close()


@pytest.fixture(scope="module")
def patient() -> Iterator[IsolatedFiles]:
    """Limits that only a file without end meets."""
    yield from isolated(FilesSettings(output_mib=8))


@pytest.fixture(scope="module")
def hasty() -> Iterator[IsolatedFiles]:
    """Limits that a file without end meets at once."""
    yield from isolated(FilesSettings(wall_s=0.5))


@pytest.fixture(scope="module")
def brisk() -> Iterator[IsolatedFiles]:
    """The least processor time that can be set."""
    yield from isolated(FilesSettings(processor_s=1))


def read(files: IsolatedFiles, how: str) -> Prepared:
    return files.prepare(misbehaving(how), "0" * 64, KnownAtPolicy(), NOW)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("abort", "ended by the signal SIGABRT"),
        ("exit", "exit code 3"),
        ("allocate", "needs more memory"),
        ("allocate-natively", "needs more memory than 2048 MiB, the limit of AURUM_FILES__MEMORY_MIB"),
        ("flood", "its rows fill more than 8 MiB, the limit of AURUM_FILES__OUTPUT_MIB"),
        ("raise", "failed unexpectedly with ZeroDivisionError: cell xxx"),
        ("panic", "failed in native code, as it does for damaged files (a panic of native code)"),
    ],
)
def test_a_file_whose_parser_fails_is_refused_with_the_cause_and_the_next_one_is_read(
    patient: IsolatedFiles, how: str, reason: str
) -> None:
    prepared = read(patient, how)
    assert prepared.load is None
    assert reason in prepared.refusal
    assert len(prepared.refusal) < 300
    assert prepared.failure
    assert read(patient, "well").load is not None


def test_a_parser_that_never_ends_is_killed_at_the_wall_clock(hasty: IsolatedFiles) -> None:
    assert read(hasty, "sleep").refusal == "reading it takes longer than 0.5 s, the limit of AURUM_FILES__WALL_S"


def test_a_parser_that_works_without_end_is_ended_by_its_processor_time(brisk: IsolatedFiles) -> None:
    refusal = read(brisk, "spin").refusal
    assert refusal == "reading it takes more processor time than 1 s, the limit of AURUM_FILES__PROCESSOR_S (SIGXCPU)"


def test_what_a_parser_prints_reaches_neither_the_parent_nor_the_disk_without_end(patient: IsolatedFiles) -> None:
    assert read(patient, "print").load is not None


def test_a_child_returns_the_frames_and_records_that_this_process_would_have_made(patient: IsolatedFiles) -> None:
    document = misbehaving("well")
    here = prepare(misbehaving_registry(), Suites({}), document, "0" * 64, KnownAtPolicy(), NOW)
    there = read(patient, "well")
    assert here.load is not None
    assert there.load is not None
    assert there.load.record == here.load.record
    assert there.validations == here.validations
    for ours, theirs in zip(here.load.parts, there.load.parts, strict=True):
        assert theirs.rows.equals(ours.rows, null_equal=True)
        assert theirs.series.equals(ours.series, null_equal=True)
    assert there.load.quarantine.schema == here.load.quarantine.schema


def test_a_killed_fork_server_is_started_again_for_the_next_file(patient: IsolatedFiles) -> None:
    assert read(patient, "well").load is not None
    server = patient.children.server_id
    assert server is not None
    os.kill(server, signal.SIGKILL)
    assert read(patient, "well").load is not None
    assert patient.children.server_id != server


def test_many_threads_read_at_once(patient: IsolatedFiles) -> None:
    ways = ["well", "abort", "raise"] * 6
    with ThreadPoolExecutor(6) as pool:
        prepared = list(pool.map(lambda how: read(patient, how), ways))
    assert [each.load is not None for each in prepared] == [how == "well" for how in ways]


def test_no_process_is_left_when_the_files_are_closed() -> None:
    files = IsolatedFiles(FilesSettings(), registry=REGISTRY)
    assert read(files, "well").load is not None
    server = files.children.server_id
    files.close()
    assert files.children.server_id is None
    assert not Path(f"/proc/{server}").exists()


def test_no_process_is_left_when_the_files_are_forgotten() -> None:
    files = IsolatedFiles(FilesSettings(), registry=REGISTRY)
    assert read(files, "well").load is not None
    server = files.children.server_id
    del files
    assert not Path(f"/proc/{server}").exists()


_KILLED = """
import os, signal, sys, threading
from aurum.common.clock import SystemClock
from aurum.common.settings import FilesSettings
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.testing.misbehaving import misbehaving

files = IsolatedFiles(FilesSettings(), registry="aurum.pipelines.testing.misbehaving:misbehaving_registry")

def read(how):
    files.prepare(misbehaving(how), "0" * 64, KnownAtPolicy(), SystemClock().now())

read("well")
threading.Thread(target=read, args=("sleep",), daemon=True).start()
if sys.argv[1] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("end", ["kill", "return"])
def test_no_process_outlives_the_one_that_loads_files(end: str) -> None:
    # The fork server has the error output of its parent, so this returns when both have ended.
    run = subprocess.run([sys.executable, "-c", _KILLED, end], capture_output=True, timeout=300, check=False)
    assert run.returncode == (-signal.SIGKILL if end == "kill" else 0), run.stderr


_SHARED = """
import os, signal, sys
from aurum.common.clock import SystemClock
from aurum.common.settings import FilesSettings
from aurum.pipelines.isolation import Message
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.testing.misbehaving import misbehaving

files = IsolatedFiles(FilesSettings(), registry="aurum.pipelines.testing.misbehaving:misbehaving_registry")

def read():
    return files.prepare(misbehaving("well"), "0" * 64, KnownAtPolicy(), SystemClock().now()).load is not None

files.start()
first = files.children.server_id
if sys.argv[1] == "ready":
    # Without an operation of Polars here: its threads would be missing in a fork.
    list(files.children.answers(Message({"task": "rows", "name": "a.csv"}, (b"1",))))
if sys.argv[2] == "killed":
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
for _ in range(2):
    child = os.fork()
    if child == 0:
        print(read(), files.children.server_id == first, flush=True)
        files.close()
        os._exit(0)
    os.waitpid(child, 0)
files.start()
print(files.children.server_id == first)
"""


@pytest.mark.parametrize("state", ["starting", "ready"])
@pytest.mark.parametrize(("end", "is_shared"), [("running", True), ("killed", False)])
def test_forks_share_a_server_that_was_started_for_them_and_do_without_it_once_it_has_ended(
    state: str, end: str, is_shared: bool
) -> None:
    run = subprocess.run([sys.executable, "-c", _SHARED, state, end], capture_output=True, timeout=300, check=False, text=True)
    assert run.stdout.splitlines() == [f"True {is_shared}"] * 2 + [str(is_shared)], run.stderr


def test_the_child_of_a_reader_who_stops_early_is_killed(patient: IsolatedFiles) -> None:
    large = zipped({f"{n}.csv": bytes(4 << 20) for n in range(8)})
    members = patient.unpack("many.zip", large)
    assert next(members).name == "0.csv"
    server = patient.children.server_id
    running = Path(f"/proc/{server}/task/{server}/children")
    assert running.read_text().split()
    members.close()
    assert running.read_text().split() == []


def test_a_fork_server_that_cannot_start_is_said_to_be_away() -> None:
    children = Children("aurum.pipelines.testing.nowhere:factory", {}, Limits())
    with pytest.raises(Unavailable, match="did not start: exit code 1"):
        list(children.answers(Message({})))


def test_the_fork_server_has_no_thread_of_polars_when_it_forks() -> None:
    """A fork copies one thread only, so a child of a process with a pool would wait for a thread that it does not have."""
    files = IsolatedFiles(FilesSettings(), registry="aurum.pipelines.registry:default_registry")
    zipfile = zipped({"a.csv": b"1"})
    assert len(list(files.unpack("a.zip", zipfile))) == 1
    tasks = Path(f"/proc/{files.children.server_id}/task").glob("*/comm")
    names = [task.read_text().strip() for task in tasks]
    files.close()
    assert not [name for name in names if name.startswith(("polars-0", "tokio", "rayon", "async-executor"))]
