"""Search: groups, words of names, pages in order, counts."""

import pytest
import pytest_asyncio

from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.core.search.condition import ALWAYS, AllOf, AnyOf, Word
from aurum.core.search.ranking import Match
from aurum.storage.ports.access import Actor
from aurum.storage.ports.search import Position
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import Store

PLACES = {"61761": "N.Y.C.", "61762": "LONGIL", "HB_NORTH": "North hub", "Québec": ""}


async def stock(store: Store) -> None:
    for location, name in PLACES.items():
        for measure in ("lmp", "congestion"):
            await store.loader.load(
                file_load(
                    [(0, 1, 1.0)],
                    key=f"inva:prices:{location}:{measure}",
                    unit="USD/MWh",
                    currency="USD",
                    market="NYISO",
                    location_name=name,
                    location_type="zone",
                )
            )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stocked(module_store: Store) -> Store:
    """A store of this module with these series, for tests that only read."""
    await stock(module_store)
    return module_store


async def every_match(store: Store, condition: object = ALWAYS) -> list[Match]:
    return [Match(tuple((await store.search.vocabulary()).groups), condition)]  # pyright: ignore[reportArgumentType]


async def keys_of(store: Store, condition: object = ALWAYS, *, after: Position | None = None, limit: int = 100) -> list[str]:
    page = await store.search.page(await every_match(store, condition), after=after, limit=limit)
    return [position.key for position in page]


async def test_series_that_share_their_attributes_are_one_group(stocked: Store) -> None:
    groups = sorted((await stocked.search.vocabulary()).groups, key=lambda group: group.measure)
    assert [(group.measure, group.market, group.location_type, group.series) for group in groups] == [
        ("congestion", "NYISO", "zone", 4),
        ("lmp", "NYISO", "zone", 4),
    ]
    assert {"inva", "prices", "lmp", "nyiso", "york", "measure:lmp", "market:nyiso"} <= groups[1].words


@pytest.mark.parametrize(
    ("condition", "locations"),
    [
        (Word("nyc"), ["61761"]),
        (Word("=nyc"), ["61761"]),
        (Word("61761"), ["61761"]),
        (Word("quebec"), ["Québec"]),
        (Word("nor", is_prefix=True), ["HB_NORTH"]),
        (Word("nor"), []),
        (Word("=north"), []),
        (Word("=hb_north"), ["HB_NORTH"]),
        (AllOf((Word("hub"), Word("north"))), ["HB_NORTH"]),
        (AllOf((Word("hub"), Word("nyc"))), []),
        (AnyOf((Word("nyc"), Word("longil"))), ["61761", "61762"]),
    ],
)
async def test_a_condition_is_one_on_the_words_of_a_name(stocked: Store, condition: object, locations: list[str]) -> None:
    expected = [f"inva:prices:{location}:{measure}" for location in locations for measure in ("congestion", "lmp")]
    assert await keys_of(stocked, condition) == expected


@pytest.mark.parametrize("limit", [1, 3, 8, 9])
async def test_pages_give_every_series_once_in_order(stocked: Store, limit: int) -> None:
    matches = await every_match(stocked)
    seen: list[Position] = []
    while page := await stocked.search.page(matches, after=seen[-1] if seen else None, limit=limit):
        assert len(page) <= limit
        seen += page
    assert seen == sorted(seen)
    assert len(seen) == 2 * len(PLACES)


async def test_what_an_earlier_step_has_shown_is_left_out(stocked: Store) -> None:
    groups = tuple((await stocked.search.vocabulary()).groups)
    shown = await stocked.search.page([Match(groups, ALWAYS, Word("nyc"))], after=None, limit=100)
    assert len(shown) == 2 * len(PLACES) - 2
    assert not [position for position in shown if ":61761:" in position.key]


async def test_series_are_counted_by_group(stocked: Store) -> None:
    vocabulary = await stocked.search.vocabulary()
    ids = [group.group_id for group in vocabulary.groups]
    assert dict(await stocked.search.counts(await every_match(stocked))) == dict.fromkeys(ids, 4)
    assert dict(await stocked.search.counts(await every_match(stocked, Word("nyc")))) == dict.fromkeys(ids, 1)
    assert dict(await stocked.search.counts(await every_match(stocked, Word("none")))) == {}


async def test_words_and_beginnings_of_names_are_known(stocked: Store) -> None:
    names = await stocked.search.known_names(["nyc", "north", "=longil", "boston"], ["nor", "bos"])
    assert (set(names.words), set(names.beginnings)) == ({"nyc", "north", "=longil"}, {"nor"})


async def test_names_that_resemble_a_misspelt_word(stocked: Store) -> None:
    resembling = await stocked.search.resembling_names(["quebek", "zzzz"])
    assert resembling is not None
    assert resembling["quebek"][0] == "quebec"
    assert resembling["zzzz"] == []


async def test_a_new_name_replaces_the_words_of_the_old_one(store: Store) -> None:
    key = "inva:prices:1:lmp"
    for digest, name in (("a" * 64, "Old Hub"), ("b" * 64, "New Hub")):
        await store.loader.load(file_load([(0, 1, 1.0)], key=key, digest=digest, location_name=name))
    assert await keys_of(store, Word("old")) == []
    assert await keys_of(store, Word("new")) == [key]


async def test_a_removed_series_and_its_words_are_gone(store: Store) -> None:
    await stock(store)
    for measure in ("lmp", "congestion"):
        key = f"inva:prices:61762:{measure}"
        async with store.transactions.transaction(by=Actor("operator")) as tx:
            stored = await tx.removal.lock(key)
            assert stored is not None
            await tx.removal.remove(stored)
    assert await keys_of(store, Word("longil")) == []
    assert set((await store.search.known_names(["longil", "nyc"], ["longi"])).words) == {"nyc"}


async def test_declared_titles_are_words_and_declared_orders_are_ranks(store: Store) -> None:
    await stock(store)
    entry = DatasetEntry("inva", "prices", "Quarter-hour ahead", "UTC", "1h", (), details=("congestion",), order=3)
    for title in ("First", "Second"):
        source = SourceEntry("inva", title, "")
        await store.catalog_writer.declare(sources=[source], datasets=[entry], blocks=[])
    groups = {group.measure: group for group in (await store.search.vocabulary()).groups}
    assert {"quarter", "second"} <= groups["lmp"].words
    assert "first" not in groups["lmp"].words
    assert groups["congestion"].rank == groups["lmp"].rank + 100
    assert groups["lmp"].rank % 100 == 3
