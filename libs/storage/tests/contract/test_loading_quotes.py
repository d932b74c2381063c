"""Loads of quotes: corrections dated by rules, records of files and changes, known times at the moment of a load."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import Conflict
from aurum.core.frames import FrameMismatch
from aurum.storage.ports.files import FileLoad
from aurum.storage.ports.observations import CorrectionUndated, RuleDated
from aurum.storage.ports.recordings import ChangeFilter
from aurum.storage.testing.builders import day
from aurum.storage.testing.curves import EVERYTHING, Quote, add_product, expected_versions, quotes_file, trade_day
from aurum.storage.testing.stores import Store

KEY = "power:XX:base:INVENTED"
BY_RULE = RuleDated()
FETCHED = RuleDated(may_correct=True)


def by_rule(
    *quotes: Quote, rule: RuleDated = BY_RULE, moment: float | None = None, digest: str | None = None, key: str = KEY
) -> FileLoad:
    """A file whose quotes have their known times from a rule. ``moment``: known day of a correction; None: the load."""
    known_at = None if moment is None else day(moment)
    return quotes_file(quotes, key=key, rule=rule, basis=KnownAtBasis.INGESTED, known_at=known_at, digest=digest)


async def test_the_first_publication_of_a_quote_is_dated_by_the_rule(store: Store) -> None:
    curve_id = (await add_product(store, KEY)).curve_id
    file = by_rule((0, 0, 1, 1.0), (0, 1, 1, None))
    outcome = await store.loader.load(file)
    assert (outcome.new, outcome.revised) == (2, 0)
    versions = await store.curves.versions([curve_id], EVERYTHING)
    assert_frame_equal(versions, expected_versions(curve_id, [(0, 0, 1, 1.0), (0, 1, 1, None)]))
    (entry,) = await store.files.applied(file.record.digest)
    assert (entry.known_at, entry.known_at_basis, entry.source, entry.dataset) == (
        None,
        KnownAtBasis.SCHEDULED,
        "invented",
        "settlements",
    )


async def test_a_repeated_row_adds_nothing_whatever_the_rule_says(store: Store) -> None:
    curve_id = (await add_product(store, KEY)).curve_id
    await store.loader.load(quotes_file([(0, 0, 3, 1.0)], key=KEY))
    outcome = await store.loader.load(by_rule((0, 0, 1, 1.0), (0, 1, 1, 5.0)))
    assert (outcome.new, outcome.revised, outcome.unchanged) == (1, 0, 1)
    versions = await store.curves.versions([curve_id], EVERYTHING)
    assert_frame_equal(versions, expected_versions(curve_id, [(0, 0, 3, 1.0), (0, 1, 1, 5.0)]))


@pytest.mark.parametrize("corrected", [0.5, 2.0, None])
async def test_a_correction_dated_by_a_rule_is_refused_whole(store: Store, corrected: float | None) -> None:
    curve_id = (await add_product(store, KEY)).curve_id
    await store.loader.load(by_rule((0, 0, 1, 1.0)))
    with pytest.raises(CorrectionUndated, match=r"1 stored quote has .*stored settle 1\.0, here .*--known-at TIME") as refused:
        await store.loader.load(by_rule((0, 0, 1, corrected), (1, 0, 1, 5.0)))
    assert (refused.value.facts["points"], KEY in refused.value.detail) == (1, True)
    versions = await store.curves.versions([curve_id], EVERYTHING)
    assert_frame_equal(versions, expected_versions(curve_id, [(0, 0, 1, 1.0)]))


async def test_another_field_is_a_correction_too(store: Store) -> None:
    await add_product(store, KEY)
    await store.loader.load(by_rule((0, 0, 1, 1.0, 2.0)))
    with pytest.raises(CorrectionUndated):
        await store.loader.load(by_rule((0, 0, 1, 1.0)))


async def test_a_correction_that_was_fetched_becomes_known_with_its_file(store: Store) -> None:
    curve_id = (await add_product(store, KEY)).curve_id
    await store.loader.load(by_rule((0, 0, 1, 1.0)))
    outcome = await store.loader.load(by_rule((0, 0, 1, 0.5), (1, 0, 1, 5.0), rule=FETCHED, moment=4))
    assert (outcome.new, outcome.revised) == (1, 1)
    expected: list[Quote] = [(0, 0, 1, 1.0), (0, 0, 4, 0.5), (1, 0, 1, 5.0)]
    versions = await store.curves.versions([curve_id], EVERYTHING)
    assert_frame_equal(versions, expected_versions(curve_id, expected))


async def test_a_correction_that_was_answered_before_what_stands_is_refused(store: Store) -> None:
    await add_product(store, KEY)
    await store.loader.load(quotes_file([(0, 0, 5, 1.0)], key=KEY))
    with pytest.raises(Conflict, match="another row"):
        await store.loader.load(by_rule((0, 0, 1, 2.0), rule=FETCHED, moment=4))


async def test_the_same_content_may_be_loaded_again_after_a_correction(store: Store) -> None:
    await add_product(store, KEY)
    first = by_rule((0, 0, 1, 1.0))
    await store.loader.load(first)
    await store.loader.load(quotes_file([(0, 0, 2, 9.0)], key=KEY))
    assert (await store.loader.load(first)).already_loaded
    outcome = await store.loader.load(first, force=True)
    assert (outcome.new, outcome.revised, outcome.unchanged) == (0, 0, 1)


prices = st.sampled_from([None, 1.0, 2.0])
rows = st.dictionaries(st.integers(0, 2), prices, min_size=1)
loads = st.one_of(
    st.tuples(st.just("published"), rows, st.integers(0, 6)),
    st.tuples(st.just("rule"), rows, st.just(0)),
    st.tuples(st.just("fetched"), rows, st.integers(3, 8)),
)
numbers = iter(range(1_000_000))


@settings(max_examples=settings().max_examples // 4)
@given(sequence=st.lists(loads, min_size=1, max_size=7))
async def test_accepted_publications_obey_the_law_with_the_known_times_they_were_given(
    shared_store: Store, sequence: list[tuple[str, dict[int, float | None], int]]
) -> None:
    key = f"power:RULE{next(numbers)}:base:INVENTED"
    curve_id = (await add_product(shared_store, key)).curve_id
    accepted: list[Quote] = []
    for number, (kind, points, moment) in enumerate(sequence):
        digest = f"{key} {number}"
        if kind == "published":
            published: list[Quote] = [(traded, 0, moment, price) for traded, price in points.items()]
            await shared_store.loader.load(quotes_file(published, key=key, digest=digest))
            accepted += published
            continue
        is_fetched = kind == "fetched"
        added = _dated(curve_id, accepted, points, moment if is_fetched else None)
        dated: list[Quote] = [(traded, 0, traded + 1, price) for traded, price in points.items()]
        rule = FETCHED if is_fetched else BY_RULE
        file = by_rule(*dated, rule=rule, moment=moment if is_fetched else None, digest=digest, key=key)
        if added is None:
            with pytest.raises(CorrectionUndated):
                await shared_store.loader.load(file)
        else:
            await shared_store.loader.load(file)
            accepted += added
    versions = await shared_store.curves.versions([curve_id], EVERYTHING)
    assert_frame_equal(versions, expected_versions(curve_id, accepted), check_exact=True)


def _dated(curve_id: int, accepted: list[Quote], points: dict[int, float | None], moment: int | None) -> list[Quote] | None:
    """Return the publications that a file dated by the rule adds; None if it must be refused. The rule: a day after trading."""
    added: list[Quote] = []
    for traded, price in points.items():
        stored = expected_versions(curve_id, [quote for quote in accepted if quote[0] == traded])
        if stored.is_empty():
            added.append((traded, 0, traded + 1, price))
        elif stored["settle"][-1] != price:
            if moment is None or day(moment) <= stored["known_at"][-1]:
                return None
            added.append((traded, 0, moment, price))
    return added


async def test_quotes_without_a_known_time_become_known_with_their_load(store: Store) -> None:
    curve_id = (await add_product(store, KEY)).curve_id
    file = quotes_file([(0, 0, None, 1.0)], key=KEY, basis=KnownAtBasis.INGESTED)
    await store.loader.load(file)
    (entry,) = await store.files.applied(file.record.digest)
    (known_at,) = (await store.curves.quotes([curve_id], EVERYTHING))["known_at"]
    assert entry.known_at == known_at
    assert (await store.curves.quotes([curve_id], EVERYTHING, as_of=known_at)).height == 1


async def test_a_quote_without_any_known_time_is_refused(store: Store) -> None:
    await add_product(store, KEY)
    with pytest.raises(FrameMismatch, match="known_at"):
        await store.loader.load(quotes_file([(0, 0, None, 1.0)], key=KEY))


async def test_a_load_is_in_the_list_of_changes_by_its_trade_dates(store: Store) -> None:
    await add_product(store, KEY)
    began = (await store.change_log.bounds(day(0).replace(year=2000))).last
    await store.loader.load(quotes_file([(0, 0, 1, 1.0), (2, 0, 1, 1.0)], key=KEY))
    page = await store.change_log.changes(began, ChangeFilter(), limit=10)
    (entry,) = page.entries
    change = entry.change
    assert (change.source, change.dataset, change.series, change.new, change.revised) == ("invented", "settlements", 1, 2, 0)
    assert change.first_ts is not None
    assert change.last_ts is not None
    assert (change.first_ts.date(), change.last_ts.date()) == (trade_day(0), trade_day(2))


async def test_a_publication_twice_in_a_file_counts_once(store: Store) -> None:
    curve_id = (await add_product(store, KEY)).curve_id
    publications: list[Quote] = [(0, 0, 1, 1.0), (0, 0, 1, 1.0), (0, 0, 2, 1.0), (0, 0, 3, 2.0)]
    outcome = await store.loader.load(quotes_file(publications, key=KEY))
    assert (outcome.new, outcome.revised, outcome.unchanged) == (1, 0, 3)
    versions = await store.curves.versions([curve_id], EVERYTHING)
    assert_frame_equal(versions, expected_versions(curve_id, publications))
