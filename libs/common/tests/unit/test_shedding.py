"""Load shedding: a share of the requests is refused while answers are slow, and no more than that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.common.resilience.shedding import Shedding


class Ticking:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def shedding(clock: Ticking) -> Shedding:
    return Shedding("reads", most_wait_s=1.0, most_p95_s=2.0, window_s=4.0, clock=clock)


def pass_time(one: Shedding, clock: Ticking, seconds: float, *, wait_s: float = 0.0, took_s: float = 0.1) -> float:
    """Make a hundred requests a second for some seconds, and return the share of them that was refused."""
    refused = total = 0
    for _ in range(int(seconds * 100)):
        clock.now += 0.01
        total += 1
        if one.refuses(clock.now):
            refused += 1
        else:
            one.record_wait(wait_s)
            one.record_time(took_s, clock.now)
    return refused / total


def test_nothing_is_refused_while_all_is_quick() -> None:
    clock = Ticking()
    assert pass_time(shedding(clock), clock, 20) == 0


@pytest.mark.parametrize("late", [{"wait_s": 1.5}, {"took_s": 2.5}])
def test_the_longer_it_is_late_the_more_is_refused_but_never_all(late: dict[str, float]) -> None:
    clock = Ticking()
    one = shedding(clock)
    shares = [pass_time(one, clock, 3, **late) for _ in range(6)]
    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert one.state().refusing == 0.9
    assert shares[-1] == pytest.approx(0.9, abs=0.01)


def test_when_answers_are_quick_again_all_are_admitted() -> None:
    clock = Ticking()
    one = shedding(clock)
    pass_time(one, clock, 20, wait_s=3.0)
    pass_time(one, clock, 20)
    assert pass_time(one, clock, 5) == 0
    assert one.state().refusing == 0


def test_after_an_hour_without_requests_none_is_refused() -> None:
    clock = Ticking()
    one = shedding(clock)
    pass_time(one, clock, 20, wait_s=3.0)
    pass_time(one, clock, 1)
    clock.now += 3600
    assert not one.refuses(clock.now)
    assert one.state().refusing == 0


def test_slow_answers_alone_refuse_no_request_while_there_is_room() -> None:
    clock = Ticking()
    one = shedding(clock)
    for _ in range(2000):
        clock.now += 0.01
        assert not one.refuses(clock.now, busy=False)
        one.record_time(30.0, clock.now)


@given(st.integers(1, 9), st.integers(1, 2000))
def test_the_share_refused_is_exact_however_many_come(tenths: int, count: int) -> None:
    """The law: of n requests in a row at share p, p·n are refused, give or take one."""
    clock = Ticking()
    one = shedding(clock)
    for _ in range(tenths):
        one.record_wait(5.0)
        clock.now += 1.0
        one.refuses(clock.now)
    before = one.state().refused
    refused = sum(one.refuses(clock.now) for _ in range(count))
    assert one.state().refused - before == refused
    assert abs(refused - count * tenths / 10) <= 1
