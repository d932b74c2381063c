"""When a process that is told to stop closes its sockets."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from aurum.api.process import drain
from aurum.common.settings.limits import LimitsSettings


class BusyMachine:
    """A clock of a machine that runs the process again a second late, whenever it sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.looks = 0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + 1.0
        self.looks += 1


@pytest.mark.parametrize(("most_s", "looks"), [(100.0, 13), (5.0, 5), (0.0, 0)])
async def test_time_in_which_the_process_did_not_run_is_no_time_without_requests(
    monkeypatch: pytest.MonkeyPatch, most_s: float, looks: int
) -> None:
    machine, stopped = BusyMachine(), []
    monkeypatch.setattr(drain, "time", SimpleNamespace(monotonic=machine.monotonic))
    monkeypatch.setattr(drain, "asyncio", SimpleNamespace(sleep=machine.sleep))
    draining = drain.Drain(LimitsSettings(drain_s=most_s, drain_quiet_s=0.25))
    await draining._until_quiet(lambda number, frame: stopped.append(number))
    assert (machine.looks, len(stopped)) == (looks, 1)


def test_a_function_is_called_once_when_the_process_begins_to_drain_or_at_once_when_it_does_already() -> None:
    draining, called = drain.Drain(LimitsSettings()), list[str]()

    def early() -> None:
        called.append("early")
        draining.call_at_begin(late)

    def late() -> None:
        called.append("late")

    draining.call_at_begin(early)
    assert called == []
    draining.tell()
    assert called == ["early", "late"]
    for one in (early, late):
        draining.call_at_begin(one)
    draining.tell()
    assert called == ["early", "late"]
    draining.call_at_begin(lambda: called.append("last"))
    assert called == ["early", "late", "last"]
