"""How often an address may fail to say who it is."""

from __future__ import annotations

from aurum.api.security.failed_attempts import FailedAttempts


def fail(strangers: FailedAttempts, address: str, times: int) -> None:
    for _ in range(times):
        strangers.failed(address)


def test_each_address_has_its_own_and_gets_it_back_with_time() -> None:
    now = [0.0]
    strangers = FailedAttempts(6, lambda: now[0])
    fail(strangers, "192.0.2.1", 6)
    assert strangers.wait("192.0.2.1") == 10.0
    assert strangers.wait("192.0.2.2") == 0.0
    now[0] = 10.0
    assert strangers.wait("192.0.2.1") == 0.0


def test_a_network_of_ipv6_is_one_stranger() -> None:
    strangers = FailedAttempts(2, lambda: 0.0)
    fail(strangers, "2001:db8::1", 1)
    fail(strangers, "2001:db8::ffff:2", 1)
    assert strangers.wait("2001:db8::3") > 0
    assert strangers.wait("2001:db8:0:1::3") == 0.0


def test_an_address_that_stands_for_one_of_ipv4_is_that_stranger() -> None:
    strangers = FailedAttempts(1, lambda: 0.0)
    fail(strangers, "64:ff9b::192.0.2.1", 1)
    assert strangers.wait("192.0.2.1") > 0
    assert strangers.wait("2002:c000:201:7::1") > 0
    assert strangers.wait("64:ff9b::192.0.2.2") == 0.0


def test_more_addresses_than_there_is_room_for_take_no_more_room() -> None:
    strangers = FailedAttempts(1, lambda: 0.0)
    fail(strangers, "192.0.2.1", 1)
    for number in range(10_000):
        strangers.failed(f"10.0.{number // 256}.{number % 256}")
    assert len(strangers._buckets) == 10_000
    assert strangers.wait("192.0.2.1") == 0.0


def test_none_are_counted_where_any_number_may_fail() -> None:
    strangers = FailedAttempts(0)
    fail(strangers, "192.0.2.1", 1_000)
    assert strangers.wait("192.0.2.1") == 0.0
