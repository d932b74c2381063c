"""Quotes obey the bitemporal law: an answer depends on the set of publications alone, as of and as loaded by any instant."""

import itertools
import math
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.curves.quotes import TRADE_DATES
from aurum.storage.ports.curves import QuoteSpan
from aurum.storage.ports.recordings import NotRecorded
from aurum.storage.testing.builders import T0, day
from aurum.storage.testing.curves import (
    EVERYTHING,
    Quote,
    add_product,
    expected_quotes,
    expected_versions,
    month_of,
    quotes_file,
    trade_day,
)
from aurum.storage.testing.stores import Store

numbers = itertools.count()

prices = st.sampled_from([None, 0.0, -0.0, 1.0, 2.0, math.nan, -5.25])
quotes: st.SearchStrategy[Quote] = st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 4), prices, prices)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Quote]]:
    """Draw files: publications in any order, some of them repeated, split into batches."""
    publications = draw(st.lists(quotes, min_size=1, max_size=12))
    again = draw(st.lists(st.sampled_from(publications), max_size=4))
    order = draw(st.permutations([*publications, *again]))
    cuts = draw(st.sets(st.integers(1, len(order)), max_size=len(order)))
    borders = [0, *sorted(cuts), len(order)]
    return [order[start:end] for start, end in itertools.pairwise(borders) if start < end]


@settings(max_examples=settings().max_examples // 2)
@given(files=histories())
async def test_answers_depend_on_the_set_of_publications_alone(shared_store: Store, files: list[list[Quote]]) -> None:
    key = f"power:LAW{next(numbers)}:base:INVENTED"
    curve_id = (await add_product(shared_store, key)).curve_id
    loaded: list[list[Quote]] = [[]]
    instants = []
    for number, file in enumerate(files):
        outcome = await shared_store.loader.load(quotes_file(file, key=key, digest=f"{key} {number}"))
        assert outcome.new + outcome.revised + outcome.unchanged == len(file)
        loaded.append([*loaded[-1], *file])
        instants.append(await shared_store.loaded.latest())
    publications = loaded[-1]
    reader = shared_store.curves
    versions = await reader.versions([curve_id], EVERYTHING)
    assert_frame_equal(versions, expected_versions(curve_id, publications), check_exact=True)
    now = await reader.quotes([curve_id], EVERYTHING)
    assert_frame_equal(now, expected_quotes(curve_id, publications), check_exact=True)
    for as_of in (day(known) - before for known in range(6) for before in (timedelta(), timedelta(microseconds=1))):
        expected = expected_quotes(curve_id, publications, as_of)
        assert_frame_equal(await reader.quotes([curve_id], EVERYTHING, as_of=as_of), expected, check_exact=True)
        versions = await reader.versions([curve_id], EVERYTHING, as_of=as_of)
        assert_frame_equal(versions, expected_versions(curve_id, publications, as_of), check_exact=True)
        counted = await reader.trade_dates([curve_id], as_of=as_of)
        assert counted.rows() == _counted(curve_id, expected)
    for instant, then in zip(instants, loaded[1:], strict=True):
        answer = await reader.quotes([curve_id], EVERYTHING, as_loaded=instant)
        assert_frame_equal(answer, expected_quotes(curve_id, then), check_exact=True)
        answer = await reader.quotes([curve_id], EVERYTHING, as_of=day(2), as_loaded=instant)
        assert_frame_equal(answer, expected_quotes(curve_id, then, day(2)), check_exact=True)
        versions = await reader.versions([curve_id], EVERYTHING, as_loaded=instant)
        assert_frame_equal(versions, expected_versions(curve_id, then), check_exact=True)
        assert (await reader.trade_dates([curve_id], as_loaded=instant)).rows() == _counted(
            curve_id, expected_quotes(curve_id, then)
        )


def _counted(curve_id: int, rows) -> list[tuple[object, ...]]:
    days = rows["trade_date"].to_list()
    return [(curve_id, one, days.count(one)) for one in sorted(set(days), reverse=True)]


@settings(max_examples=settings().max_examples * 3 // 10)
@given(files=histories(), later=quotes)
async def test_nothing_known_later_changes_an_answer_about_the_past(
    shared_store: Store, files: list[list[Quote]], later: Quote
) -> None:
    key = f"power:PAST{next(numbers)}:base:INVENTED"
    curve_id = (await add_product(shared_store, key)).curve_id
    for number, file in enumerate(files):
        await shared_store.loader.load(quotes_file(file, key=key, digest=f"{key} {number}"))
    before = await shared_store.curves.quotes([curve_id], EVERYTHING, as_of=day(5))
    traded, month, _, *fields = later
    await shared_store.loader.load(quotes_file([(traded, month, 6, *fields)], key=key))
    assert_frame_equal(await shared_store.curves.quotes([curve_id], EVERYTHING, as_of=day(5)), before)


async def test_a_publication_states_the_whole_row(store: Store) -> None:
    curve_id = (await add_product(store, "power:XX:base:INVENTED")).curve_id
    await store.loader.load(quotes_file([(0, 0, 1, 10.0, 9.0, 11.0)]))
    outcome = await store.loader.load(quotes_file([(0, 0, 2, 10.0)]))
    assert (outcome.new, outcome.revised) == (0, 1)
    (row,) = (await store.curves.quotes([curve_id], EVERYTHING)).rows(named=True)
    assert (row["settle"], row["open"], row["high"], row["known_at"]) == (10.0, None, None, day(2))


async def test_a_tie_may_bring_an_earlier_row_back_into_force(store: Store) -> None:
    curve_id = (await add_product(store, "power:XX:base:INVENTED")).curve_id
    publications: list[Quote] = [(0, 0, 1, 5.0), (0, 0, 2, 3.0), (0, 0, 2, 5.0)]
    for publication in publications:
        await store.loader.load(quotes_file([publication]))
    assert_frame_equal(await store.curves.quotes([curve_id], EVERYTHING), expected_quotes(curve_id, publications))


async def test_a_span_limits_trade_dates_and_deliveries(store: Store) -> None:
    curve_id = (await add_product(store, "power:XX:base:INVENTED")).curve_id
    publications: list[Quote] = [(traded, month, 9, float(traded + month)) for traded in range(4) for month in range(3)]
    await store.loader.load(quotes_file(publications))
    await store.loader.load(quotes_file([(2, 1, 10, 77.0)]))
    for as_of, as_loaded in ((None, None), (day(9), None), (None, await store.loaded.latest())):

        async def read(span: QuoteSpan, as_of=as_of, as_loaded=as_loaded) -> list[tuple[object, ...]]:
            answer = await store.curves.quotes([curve_id], span, as_of=as_of, as_loaded=as_loaded)
            return answer.select("trade_date", "delivery_start").rows()

        def rows(traded, months) -> list[tuple[object, ...]]:
            return [(trade_day(one), month_of(month)[0]) for one in traded for month in months]

        assert await read(QuoteSpan(trade_day(1), trade_day(2))) == rows((1, 2), range(3))
        assert await read(QuoteSpan(first=trade_day(3))) == rows((3,), range(3))
        assert await read(QuoteSpan(last=trade_day(0))) == rows((0,), range(3))
        assert await read(QuoteSpan(trade_dates=(trade_day(0), trade_day(3)))) == rows((0, 3), range(3))
        assert await read(QuoteSpan(deliveries=(month_of(1),))) == rows(range(4), (1,))
        both = QuoteSpan(trade_dates=(trade_day(2),), deliveries=(month_of(0), month_of(2)))
        assert await read(both) == rows((2,), (0, 2))


async def test_trade_dates_are_the_newest_first_of_each_product(store: Store) -> None:
    first, second = [(await add_product(store, f"power:{area}:base:INVENTED")).curve_id for area in ("XX", "YY")]
    file = quotes_file(
        {
            "power:XX:base:INVENTED": [(0, 0, 9, 1.0), (1, 0, 9, 1.0), (1, 1, 9, None)],
            "power:YY:base:INVENTED": [(0, 0, 9, 1.0)],
        }
    )
    await store.loader.load(file)
    answer = await store.curves.trade_dates([second, first, first])
    assert answer.schema == TRADE_DATES
    assert answer.rows() == [(first, trade_day(1), 2), (first, trade_day(0), 1), (second, trade_day(0), 1)]
    newest = await store.curves.trade_dates([first, second], limit=1)
    assert newest.rows() == [(first, trade_day(1), 2), (second, trade_day(0), 1)]
    earlier = await store.curves.trade_dates([first], before=trade_day(1), limit=1, as_of=day(9))
    assert earlier.rows() == [(first, trade_day(0), 1)]


async def test_unknown_ids_have_no_quotes(store: Store) -> None:
    await add_product(store, "power:XX:base:INVENTED")
    assert (await store.curves.quotes([4711], EVERYTHING)).is_empty()
    assert (await store.curves.versions([4711], EVERYTHING)).is_empty()
    assert (await store.curves.trade_dates([4711])).is_empty()
    assert (await store.curves.quotes([], EVERYTHING)).is_empty()


async def test_a_store_cannot_be_read_as_loaded_before_it_began(store: Store) -> None:
    curve_id = (await add_product(store, "power:XX:base:INVENTED")).curve_id
    long_ago = T0.replace(year=1999)
    for read in (store.curves.quotes, store.curves.versions):
        with pytest.raises(NotRecorded):
            await read([curve_id], EVERYTHING, as_loaded=long_ago)
    with pytest.raises(NotRecorded):
        await store.curves.trade_dates([curve_id], as_loaded=long_ago)
