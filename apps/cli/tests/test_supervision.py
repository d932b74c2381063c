"""Servers and processes that end are started again after growing pauses, and not for ever."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from aurum.cli.supervision import GaveUp, Supervisor
from aurum.common.settings import SupervisionSettings
from aurum.core.errors import Unavailable

SETTINGS = SupervisionSettings(failures=4, within_s=60.0, first_pause_s=1.0, longest_pause_s=3.0)


@dataclass
class Process:
    """A process that ends and starts as the test says."""

    role: str = "worker"
    is_needed: bool = False
    how: str | None = None
    refuses: bool = False
    starts: int = 0

    def ended(self) -> str | None:
        return self.how

    def start_again(self) -> None:
        if self.refuses:
            raise Unavailable("the port is in use")
        self.starts, self.how = self.starts + 1, None


@dataclass
class Watch:
    """A supervisor with a clock that the test moves, and the lines it has said."""

    process: Process
    now: float = 100.0
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor([self.process], SETTINGS, self.lines.append, lambda: self.now)

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.supervisor.look()


def test_a_process_that_runs_is_left_alone() -> None:
    watch = Watch(Process())
    watch.after(1)
    assert (watch.process.starts, watch.lines, watch.supervisor.state()) == (0, [], {"worker": "running"})


def test_a_process_that_ends_is_started_again_after_a_pause() -> None:
    watch = Watch(Process(how="exit code 3"))
    watch.after(0)
    assert watch.supervisor.state() == {"worker": "restarting"}
    watch.after(0.9)
    assert watch.process.starts == 0
    watch.after(0.1)
    assert watch.process.starts == 1
    assert watch.lines == ["worker: ended (exit code 3); it is started again in 1 s", "worker: started again"]
    assert watch.supervisor.state() == {"worker": "running"}


def test_pauses_grow_to_the_longest() -> None:
    watch = Watch(Process(how="exit code 3", refuses=True))
    watch.after(0)
    watch.after(1)
    watch.after(2)
    assert [line.rpartition(" in ")[2] for line in watch.lines] == ["1 s", "2 s", "3 s"]
    assert watch.lines[-1].startswith("worker: did not start: the port is in use; ")


def test_old_failures_do_not_count() -> None:
    watch = Watch(Process())
    for _ in range(10):
        watch.process.how = "signal SIGSEGV"
        watch.after(59)
        watch.after(1)
    assert watch.process.starts == 10


def test_a_process_that_ends_too_often_stays_down_and_the_others_run_on() -> None:
    watch = Watch(Process(how="exit code 1", refuses=True))
    for seconds in (0, 1, 2, 3, 100):
        watch.after(seconds)
    assert watch.lines[-1] == (
        "worker: did not start: the port is in use, 4 failures within 60 s: it stays down, and the rest runs on"
    )
    assert watch.supervisor.state() == {"worker": "did not start: the port is in use"}


def test_what_everything_needs_ends_the_supervision_with_the_reason() -> None:
    watch = Watch(Process(role="API", is_needed=True, how="exit code 1"))
    watch.after(0)
    for _ in range(2):
        watch.after(3)
        watch.process.how = "exit code 1"
        watch.after(0)
    watch.after(3)
    watch.process.how = "exit code 1"
    with pytest.raises(GaveUp, match=r"API: ended \(exit code 1\), 4 failures within 60 s"):
        watch.after(0)
