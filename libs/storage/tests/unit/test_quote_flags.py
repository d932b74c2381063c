"""Quotes of a file that jump or stand still beside the session before are stored as they are, and named."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import pytest

from aurum.common.clock import SystemClock
from aurum.core.catalog.entries import QuoteFlag
from aurum.storage.memory import MemoryStore
from aurum.storage.quote_flags import MOST_NAMED, flag_quotes
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.curves import BY, Quote, add_product, month_of, quotes_file, trade_day

KEY, OTHER = "power:XX:base:INVENTED", "power:XY:base:INVENTED"
CURVE = (80.0, 81.5, 79.25)


def session(day: int, *settles: float | None) -> list[Quote]:
    """Return the quotes of the months from the first on, of one trade date."""
    return [(day, month, day, settle) for month, settle in enumerate(settles)]


def times(factor: float, *settles: float) -> tuple[float, ...]:
    return tuple(settle * factor for settle in settles)


@pytest.fixture
async def store() -> MemoryStore:
    made = MemoryStore(SystemClock())
    for key in (KEY, OTHER):
        await add_product(made, key)
    return made


async def flags(store: MemoryStore, quotes: list[Quote] | dict[str, list[Quote]]) -> tuple[QuoteFlag, ...]:
    """Load a file with the checks, and return what they found."""
    file = await flag_quotes(quotes_file(quotes), store.curves)
    stored = await store.loader.load(file)
    assert stored.new == sum(map(len, quotes.values())) if isinstance(quotes, dict) else len(quotes)
    assert file.record.flagged_curves == len({one.curve for one in file.record.quote_flags})
    return file.record.quote_flags


async def test_a_file_in_another_unit_is_one_finding_about_the_curve(store: MemoryStore) -> None:
    assert await flags(store, session(1, *CURVE)) == ()
    (flag,) = await flags(store, session(2, *times(101.0, *CURVE)))
    assert flag == QuoteFlag(KEY, "unit_jump", trade_day(2), ratio=pytest.approx(101.0))


async def test_one_quote_in_another_unit_is_named_with_both_prices(store: MemoryStore) -> None:
    await flags(store, session(1, *CURVE))
    (flag,) = await flags(store, session(2, 80.5, 8_170.0, 79.0))
    first, end = month_of(1)
    assert flag == QuoteFlag(KEY, "unit_jump", trade_day(2), first, end, 8_170.0, 81.5, pytest.approx(8_170.0 / 81.5))


async def test_a_session_that_repeats_the_one_before_is_stale(store: MemoryStore) -> None:
    await flags(store, session(1, *CURVE))
    assert await flags(store, session(2, *CURVE)) == (QuoteFlag(KEY, "stale", trade_day(2), sessions=1),)


async def test_a_quote_that_stands_while_the_others_move_is_stale(store: MemoryStore) -> None:
    for day in range(1, 4):
        assert await flags(store, session(day, 80.0 + day, 81.5 - day, 79.25)) == ()
    (flag,) = await flags(store, session(4, 90.0, 91.0, 79.25))
    first, end = month_of(2)
    assert flag == QuoteFlag(KEY, "stale", trade_day(4), first, end, 79.25, 79.25, None, 3)


async def test_only_the_newest_session_of_a_file_is_judged(store: MemoryStore) -> None:
    jump = [*session(1, *CURVE), *session(2, *times(100.0, *CURVE))]
    assert [one.check for one in await flags(store, [*jump])] == ["unit_jump"]
    # The file after a wrong one is a jump back.
    assert [one.check for one in await flags(store, session(3, *CURVE))] == ["unit_jump"]
    more = [*session(10, *times(100.0, *CURVE)), *session(11, *CURVE), *session(12, *times(1.01, *CURVE))]
    assert await flags(store, more) == ()


async def test_sessions_that_a_file_has_itself_are_not_read(store: MemoryStore) -> None:
    calls = Counter[str]()

    class Counted:
        def __getattr__(self, name: str) -> Any:
            calls[name] += 1
            return getattr(store.curves, name)

    curves = cast("Any", Counted())
    await store.loader.load(quotes_file(session(1, *CURVE)))
    years = [quote for day in range(2, 6) for quote in session(day, *times(1 + day / 100, *CURVE))]
    assert (await flag_quotes(quotes_file(years), curves)).record.quote_flags == ()
    assert dict(calls) == {"products": 1}
    await flag_quotes(quotes_file({KEY: session(2, 80.5), OTHER: session(2, 70.5)}), curves)
    assert dict(calls) == {"products": 2, "trade_dates": 1, "quotes": 1}


async def test_curves_of_one_file_have_sessions_of_their_own(store: MemoryStore) -> None:
    await flags(store, {KEY: session(1, *CURVE), OTHER: session(2, *CURVE)})
    findings = await flags(store, {KEY: session(4, *times(10.0, *CURVE)), OTHER: session(3, *times(1.01, *CURVE))})
    assert [(one.curve, one.check, one.trade_date) for one in findings] == [(KEY, "unit_jump", trade_day(4))]


async def test_the_last_publication_of_a_quote_in_a_file_is_judged(store: MemoryStore) -> None:
    await flags(store, session(1, *CURVE))
    wrong: list[Quote] = [(2, month, 3, settle * 100) for month, settle in enumerate(CURVE)]
    right: list[Quote] = [(2, month, 4, settle * 1.01) for month, settle in enumerate(CURVE)]
    file = quotes_file([*right, *wrong])
    assert (await flag_quotes(file, store.curves)).record.quote_flags == ()


async def test_findings_beyond_the_first_are_counted_by_curve(store: MemoryStore) -> None:
    keys = [f"power:X{number}:base:INVENTED" for number in range(MOST_NAMED + 5)]
    for key in keys:
        await add_product(store, key)
    await store.loader.load(quotes_file({key: session(1, *CURVE) for key in keys}))
    jumped = quotes_file({key: session(2, *times(100.0, *CURVE)) for key in keys})
    record = (await flag_quotes(jumped, store.curves)).record
    assert (record.flagged_curves, len(record.quote_flags)) == (MOST_NAMED + 5, MOST_NAMED)


async def test_own_products_are_compared_with_own_quotes_under_the_key_that_stores_them(store: MemoryStore) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.tenants.insert("acme", "Acme", "basic")
    await add_product(store, "power:XX:base:DESK", tenant="acme")
    await store.loader.load(quotes_file(session(1, *times(100.0, *CURVE)), key="power:XX:base:DESK", tenant="acme"))
    await store.loader.load(quotes_file(session(1, *CURVE)))
    file = quotes_file(session(2, *CURVE), tenant="acme")

    def stored_key(key: str) -> str:
        return key.replace("INVENTED", "DESK")

    (flag,) = (await flag_quotes(file, store.curves, stored_key)).record.quote_flags
    assert (flag.curve, flag.check) == ("power:XX:base:DESK", "unit_jump")
    # Without products of its own there is nothing to compare with: shared quotes are of other prices.
    assert (await flag_quotes(file, store.curves)).record.quote_flags == ()


async def test_a_file_without_quotes_is_left_as_it_is(store: MemoryStore) -> None:
    unknown = quotes_file(session(1, 5.0), key="power:XX:base:NOBODY")
    for file in (file_load([(0, 1, 2.0)]), unknown, quotes_file(session(1, None))):
        assert await flag_quotes(file, store.curves) is file
