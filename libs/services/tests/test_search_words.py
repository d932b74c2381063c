"""Search of series by words: how unknown words are mended, and pages of a list that has changed."""

from __future__ import annotations

import pytest

from aurum.common.clock import SystemClock
from aurum.services.catalog import Place, SearchAnswer, SearchQuestion, search_series
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.search import Position
from aurum.storage.testing.builders import file_load

LMP, LOAD = "inva:prices:HUB:lmp", "nyiso:prices:61761:load"


async def stocked(**names: str) -> MemoryStore:
    store = MemoryStore(SystemClock())
    for key, name in {LMP: "Western hub", LOAD: "N.Y.C.", **names}.items():
        await store.loader.load(file_load([(0, 1, 1.0)], key=key, location_name=name, market="NYISO"))
    return store


async def answer(store: MemoryStore, q: str, *, after: Place | None = None, limit: int = 9) -> SearchAnswer:
    return await search_series(store.catalog, store.search, SearchQuestion(q), after=after, limit=limit)


def readings(answered: SearchAnswer) -> dict[str, tuple[str, str]]:
    assert len({reading.text for reading in answered.readings}) == len(answered.readings), answered.readings
    return {reading.text: (reading.read_as, reading.how) for reading in answered.readings}


async def test_a_word_that_only_phrases_of_aliases_have_is_not_mended_to_itself() -> None:
    store = await stocked()
    answered = await answer(store, "hub b")
    read = readings(answered)
    assert read["b"] == ("", "unknown")
    assert (str(answered.hits[0].series.key), answered.terms) == (LMP, 1)


async def test_a_word_is_mended_to_one_that_a_series_has_before_one_of_a_broken_phrase() -> None:
    answered = await answer(await stocked(), "westren")
    assert readings(answered)["westren"] == ("western", "mended")
    # "york" is in phrases of the alias table alone, and "yorkk" completes none of them.
    store = MemoryStore(SystemClock())
    await store.loader.load(file_load([(0, 1, 1.0)], key=LMP, location_name="Yorkx"))
    assert readings(await answer(store, "yorkk"))["yorkk"] == ("yorkx", "mended")


async def test_misspelt_words_that_make_a_phrase_of_an_alias_together_are_mended() -> None:
    answered = await answer(await stocked(), "nwe yrok city")
    assert {reading.text: reading.read_as for reading in answered.readings if reading.how == "mended"} == {
        "nwe": "new",
        "yrok": "york",
    }
    assert [str(hit.series.key) for hit in answered.hits][:1] == [LOAD]


@pytest.mark.parametrize(
    ("terms", "by", "expected"),
    [(2, "name", [LMP, LOAD]), (3, "beginnings", [LMP, LOAD]), (2, "beginnings", [LOAD]), (1, "name", [LOAD])],
)
async def test_a_page_after_a_step_that_is_gone_begins_at_the_next_step(terms: int, by: str, expected: list[str]) -> None:
    answered = await answer(await stocked(), "western prices", after=Place(terms, by, Position(9, "z")))
    assert [str(hit.series.key) for hit in answered.hits] == expected
