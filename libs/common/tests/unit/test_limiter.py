"""Accounts of a limiter: by key, with the present limits of the plan, reported in headers."""

from __future__ import annotations

import pytest

from aurum.common.ratelimit import Limiter, LimitHeaders, Limits, plan_limits, retry_after

Plan = tuple[int, float]
"""Requests a minute, burst."""


def limits_of(plan: Plan) -> Limits:
    per_minute, burst = plan
    return plan_limits(per_minute=per_minute, per_hour=per_minute * 20, per_day=per_minute * 200, burst=burst)


class Ticking:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def limiter(**more: float) -> tuple[Limiter[Plan], Ticking]:
    clock = Ticking()
    return Limiter(limits_of, clock=clock, **more), clock  # type: ignore[arg-type] - numbers of either kind


def spend(accounts: Limiter[Plan], key: tuple[str, str], plan: Plan, count: int, now: float) -> int:
    return sum(accounts.account(key, plan, now).take(now) for _ in range(count))


def test_keys_do_not_share_a_limit() -> None:
    accounts, clock = limiter()
    assert spend(accounts, ("acme", "key:1"), (60, 1.0), 100, clock.now) == 60
    assert spend(accounts, ("acme", "key:2"), (60, 1.0), 100, clock.now) == 60
    assert spend(accounts, ("other", "key:1"), (60, 1.0), 100, clock.now) == 60


def test_a_changed_plan_holds_for_the_next_request() -> None:
    accounts, clock = limiter()
    key = ("acme", "key:1")
    assert spend(accounts, key, (60, 1.0), 100, clock.now) == 60
    assert spend(accounts, key, (300, 1.0), 1000, clock.now) == 240
    assert dict(accounts.account(key, (300, 1.0), clock.now).headers())[b"ratelimit-limit"] == b"300"


def test_processes_that_do_not_talk_have_an_even_share_each() -> None:
    accounts, clock = limiter(processes=3)
    assert spend(accounts, ("acme", "key:1"), (60, 1.0), 100, clock.now) == 20


def test_another_number_of_processes_keeps_the_part_that_was_used() -> None:
    accounts, clock = limiter()
    key = ("acme", "key:1")
    spend(accounts, key, (60, 1.0), 30, clock.now)
    accounts.share_with(2)
    assert spend(accounts, key, (60, 1.0), 100, clock.now) == 15


def test_headers_say_what_is_left_and_when_it_is_full_again() -> None:
    accounts, clock = limiter()
    account = accounts.account(("acme", "key:1"), (60, 1.5), clock.now)
    for _ in range(30):
        account.take(clock.now)
    assert dict(account.headers()) == {
        b"ratelimit-policy": b'"minute";q=90;w=90, "hour";q=1200;w=3600, "day";q=12000;w=86400',
        b"ratelimit": b'"minute";r=60;t=30',
        b"ratelimit-limit": b"90",
        b"ratelimit-remaining": b"60",
        b"ratelimit-reset": b"30",
    }


def test_a_refusal_names_the_window_and_the_wait() -> None:
    accounts, clock = limiter()
    account = accounts.account(("acme", "key:1"), (60, 1.0), clock.now)
    while account.take(clock.now):
        pass
    window, wait, headers = account.refusal(clock.now)
    assert (window.name, round(wait, 6)) == ("minute", 1.0)
    assert dict(headers)[b"ratelimit-remaining"] == b"0"
    clock.now += wait
    assert account.take(clock.now)


def test_the_longest_wait_is_the_one_that_is_reported() -> None:
    accounts, clock = limiter()
    key, plan = ("acme", "key:1"), (60, 1.0)
    for _ in range(40):
        spend(accounts, key, plan, 60, clock.now)
        clock.now += 60
    account = accounts.account(key, plan, clock.now)
    while account.take(clock.now):
        pass
    window, wait, _ = account.refusal(clock.now)
    assert window.name == "hour"
    assert 1.0 < wait <= 3.0


@pytest.mark.parametrize("lease", [0.0, 0.4, 0.99])
def test_a_refusal_names_the_window_that_ran_out_when_others_hold_the_rest(lease: float) -> None:
    now, limits = 50.0, plan_limits(per_minute=300, per_hour=5_000, per_day=50_000, burst=1.5)
    limiter = Limiter[int](lambda _: limits, processes=2, shared=True, clock=lambda: now)
    limiter.queue.delay_s = 0.1
    account = limiter.account(("acme", "key:1"), 1, now)
    account.apply_settlement(0, lease, [100.0, 4_650.0, 49_650.0], 2, now)
    assert not account.take(now)
    window, wait, headers = account.refusal(now)
    assert window.name == "minute"
    assert wait == pytest.approx(0.5)
    assert dict(headers)[b"ratelimit"].startswith(b'"minute";r=0;')
    # The refusal has the account settled, and the others still hold the rest.
    now += 0.1
    account.apply_settlement(0, 0.0, [100.5, 4_650.0, 49_650.0], 2, now)
    now += wait - 0.1
    assert account.take(now)


def test_all_callers_together_have_a_rate_of_their_own() -> None:
    accounts, clock = limiter(per_second=10.0)
    assert accounts.global_account is not None
    assert sum(accounts.global_account.take(clock.now) for _ in range(50)) == 10
    clock.now += 1
    assert sum(accounts.global_account.take(clock.now) for _ in range(50)) == 10


def test_keys_that_have_rested_are_forgotten_and_those_that_have_not_are_kept() -> None:
    accounts, clock = limiter()
    busy = ("acme", "busy")
    for number in range(10_000):
        accounts.account(("acme", str(number)), (60, 1.0), clock.now).take(clock.now)
    clock.now += 200_000
    spend(accounts, busy, (60, 1.0), 60, clock.now)
    accounts.account(("acme", "another"), (60, 1.0), clock.now)
    assert accounts.state().accounts < 10
    assert spend(accounts, busy, (60, 1.0), 10, clock.now) == 0


@pytest.mark.parametrize(("seconds", "value"), [(0.0, b"1"), (0.2, b"1"), (1.2, b"2"), (60.0, b"60")])
def test_retry_after_is_whole_seconds_and_at_least_one(seconds: float, value: bytes) -> None:
    assert retry_after(seconds) == (b"retry-after", value)


def test_policies_are_structured_fields_as_the_draft_has_them() -> None:
    assert LimitHeaders(limits_of((60, 1.0))).policy == b'"minute";q=60;w=60, "hour";q=1200;w=3600, "day";q=12000;w=86400'
