"""Words, aliases, misspelt words, and the order of results."""

import pytest

from aurum.core.search.aliases import InvalidAlias, parse_aliases, segments, shipped_aliases
from aurum.core.search.condition import ALWAYS, NEVER, AllOf, AnyOf, Word, all_of, any_of, holds
from aurum.core.search.groups import Described, SearchGroup, group_words
from aurum.core.search.near import closest, edits, mends
from aurum.core.search.query import completing, query_words, terms_of
from aurum.core.search.ranking import KnownNames, steps_of
from aurum.core.search.vocabulary import Vocabulary
from aurum.core.search.words import name_words, words_of

ALIASES = parse_aliases("""
[[alias]]
phrases = ["big apple", "zone j"]
means = ["source:ny =61761"]

[[alias]]
phrases = ["cost"]
means = ["kind:price"]
exclusive = true
""")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("N.Y.C.", ["nyc"]),
        ("U.S. crude", ["us", "crude"]),
        (".H.INTERNAL_HUB", ["h", "internal", "hub"]),
        ("AECI.APM_1.AZ", ["aeci", "apm", "1", "az"]),
        ("Hydro-Québec", ["hydro", "quebec"]),
        ("Straße", ["strasse"]),
        ("Reader's", ["readers"]),
        ("原子力", ["原子力"]),
        ("& | ! :* %_", []),
        ("", []),
    ],
)
def test_words_have_one_spelling(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_name_has_its_words_and_one_for_the_whole() -> None:
    assert name_words("HB_NORTH", "North hub", "") == ["=hb_north", "=north_hub", "hb", "hub", "north"]
    assert name_words("---") == []


def test_fillers_are_left_out_beside_other_words() -> None:
    assert query_words("the price of gas in the US", {}) == ["price", "gas", "us"]
    assert query_words("the of", {}) == ["the", "of"]
    assert query_words("zone a", {}) == ["zone"]
    assert query_words("price of zone a", shipped_aliases()) == ["price", "zone", "a"]


def test_the_longest_phrase_of_the_alias_table_counts() -> None:
    words = ["big", "apple", "cost", "big"]
    assert [phrase for phrase, alias in segments(words, ALIASES) if alias is not None] == [("big", "apple"), ("cost",)]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ('phrases = ["!!"]\nmeans = ["a"]', "0 words"),
        ('phrases = ["a b c d e f"]\nmeans = ["a"]', "6 words"),
        ('phrases = ["a"]\nmeans = [" "]', "stands for nothing"),
        ('phrases = ["a"]\nmeans = []', "stands for nothing"),
    ],
)
def test_an_alias_that_means_nothing_is_refused(entry: str, why: str) -> None:
    with pytest.raises(InvalidAlias, match=why):
        parse_aliases(f"[[alias]]\n{entry}")


def test_shipped_aliases_stand_for_words_that_series_can_have() -> None:
    fields = {"source", "dataset", "market", "measure", "kind", "fuel", "location_type", "market_run", "in_measure"}
    for alias in shipped_aliases().values():
        for word in (word for meaning in (*alias.meanings, *alias.lesser) for word in meaning):
            field, separator, value = word.text.partition(":")
            plain = value if separator else word.text.removeprefix("=")
            assert not separator or field in fields, word
            assert "".join(words_of(plain)) == plain.replace("_", ""), word


@pytest.mark.parametrize(
    ("word", "candidates", "best"),
    [
        ("westren", ["west", "western", "eastern"], ["western"]),
        ("congeston", ["congestion", "connection"], ["congestion"]),
        ("lpm", ["lmp", "load", "mpl"], ["lmp"]),
        ("gas", ["gasoline", "gulf"], []),
        ("61762", ["61761"], []),
    ],
)
def test_a_misspelt_word_is_the_nearest_by_edits(word: str, candidates: list[str], best: list[str]) -> None:
    assert closest(word, candidates) == best


@pytest.mark.parametrize(
    ("word", "candidates", "best"),
    [
        ("laod", ["lad", "load"], ["load"]),
        ("nwe", ["nw", "nws", "new"], ["new"]),
        ("eua", ["eu", "euro"], []),
        ("lmq", ["lm", "lmp"], ["lmp"]),
        ("spark", ["park"], []),
        ("tread", ["read"], []),
        ("carbon", ["carson"], []),
        ("pjmm", ["pjm"], []),
        ("houstin", ["austin", "houston"], ["houston"]),
        ("ohuston", ["houston"], ["houston"]),
    ],
)
def test_a_misspelt_word_begins_right_and_differs_little(word: str, candidates: list[str], best: list[str]) -> None:
    assert mends(word, candidates) == best


def test_a_mend_that_completes_a_phrase_is_preferred() -> None:
    close = {"bgi": ["bag", "big"], "cots": ["coats", "cost"]}
    assert completing(["bgi", "apple", "cots"], close, ALIASES) == {"bgi": "big"}


def test_edits_count_exchanged_neighbours_once() -> None:
    assert (edits("ab", "ba"), edits("", "abc"), edits("abc", "abc")) == (1, 3, 0)


def test_conditions_are_simplified() -> None:
    assert all_of([ALWAYS, Word("a"), all_of([Word("b"), Word("a")])]) == AllOf((Word("a"), Word("b")))
    assert any_of([NEVER, Word("a")]) == Word("a")
    assert all_of([Word("a"), NEVER]) == NEVER
    assert any_of([Word("a"), ALWAYS]) == ALWAYS
    assert holds(AnyOf((Word("x"), Word("no", is_prefix=True))), ["hub", "north"])
    assert not holds(NEVER, ["hub"])


def test_totals_of_prices_come_first_and_details_last() -> None:
    described = Described(details=frozenset({"congestion"}), order=1)
    ranks = [described.rank(*one) for one in (("lmp", "price"), ("load", "load"), ("congestion", "price"))]
    assert ranks == sorted(set(ranks))
    assert Described().rank("lmp", "price") < ranks[0]


def test_a_title_of_two_fuels_gives_a_series_only_its_own() -> None:
    described = Described(titles=("Wind and solar forecast",))
    words = group_words({"measure": "generation_forecast_wind", "fuel": "wind"}, described)
    assert {"wind", "forecast"} <= set(words)
    assert "solar" not in words
    assert "solar" in group_words({"measure": "total"}, described)


def group(number: int, measure: str, *, source: str = "ny", kind: str = "price") -> SearchGroup:
    attributes = {"source": source, "dataset": "prices", "measure": measure, "market": "", "kind": kind}
    words = frozenset(group_words(attributes, Described()))
    facets = dict.fromkeys(("market_run", "fuel", "location_type"), "")
    return SearchGroup(number, **attributes, **facets, words=words, rank=0, series=1)


def steps(text: str, *groups: SearchGroup, names: KnownNames) -> list[tuple[int, str, dict[int, object]]]:
    """Return the terms, the sort and the conditions by group of each step of a query."""
    vocabulary = Vocabulary(groups, ALIASES)
    words = query_words(text, ALIASES)
    return [
        (step.terms, step.by, {one.group_id: match.condition for match in step.matches for one in match.groups})
        for step in steps_of(terms_of(words, ALIASES), words, vocabulary, names, vocabulary.everything)
    ]


def test_a_word_that_all_series_of_a_group_have_is_no_condition_on_names() -> None:
    nothing = KnownNames((), ())
    assert steps("lmp", group(1, "lmp"), group(2, "load", kind="load"), names=nothing) == [(1, "words", {1: ALWAYS})]
    assert steps("lmp load", group(1, "lmp"), names=nothing) == [(1, "words", {1: ALWAYS})]


def test_names_come_before_words_and_words_before_beginnings() -> None:
    names = KnownNames({"west", "=west"}, {"west"})
    assert steps("west lmp", group(1, "lmp"), names=names) == [
        (2, "name", {1: AllOf((Word("west"), Word("=west")))}),
        (2, "words", {1: Word("west")}),
        (2, "beginnings", {1: Word("west", is_prefix=True)}),
        (1, "name", {1: Word("=west")}),
        (1, "words", {1: ALWAYS}),
    ]


def test_an_alias_of_a_place_counts_as_its_name() -> None:
    names = KnownNames({"=61761"}, ())
    expected = steps("big apple cost", group(1, "lmp"), group(2, "load", kind="load"), names=names)
    assert expected[0] == (2, "name", {1: Word("=61761")})
    assert expected[1:] == [(1, "name", {2: Word("=61761")}), (1, "words", {1: ALWAYS})]


def test_a_short_word_that_something_has_is_no_beginning_of_others() -> None:
    names = KnownNames({"cad"}, {"cad", "isl"})
    assert steps("cad", group(1, "lmp"), names=names) == [(1, "words", {1: Word("cad")})]
    assert steps("isl", group(1, "lmp"), names=names) == [(1, "beginnings", {1: Word("isl", is_prefix=True)})]


def test_series_with_fewer_terms_are_in_the_same_order_and_leave_out_those_with_more() -> None:
    names = KnownNames({"=61761", "hub"}, {"wes"})
    vocabulary = Vocabulary([group(1, "lmp")], ALIASES)
    words = query_words("zone j hub wes", ALIASES)
    all_steps = list(steps_of(terms_of(words, ALIASES), words, vocabulary, names, vocabulary.everything))
    assert [(step.terms, step.by) for step in all_steps] == [
        (3, "beginnings"),
        (2, "name"),
        (2, "beginnings"),
        (1, "name"),
        (1, "words"),
        (1, "beginnings"),
    ]
    one_by_name, one_by_words = all_steps[3].matches[0], all_steps[4].matches[0]
    assert holds(one_by_name.condition, ["=61761", "nyc"])
    assert not holds(one_by_name.condition, ["hub"])
    assert holds(one_by_name.excluding, ["hub", "west"])
    assert holds(one_by_words.condition, ["hub"])
    assert holds(one_by_words.excluding, ["=61761", "nyc"])


def test_the_last_words_may_begin_a_phrase() -> None:
    (term,) = terms_of(["big", "app"], ALIASES)
    assert term.exact == ((Word("big"), Word("app")),)
    assert (Word("source:ny"), Word("=61761")) in term.loose
    assert [term.text for term in terms_of(["big", "ap"], ALIASES)] == ["big", "ap"]


def test_lesser_meanings_are_found_after_the_others() -> None:
    aliases = parse_aliases(
        '[[alias]]\nphrases = ["coal"]\nmeans = ["kind:generation"]\nlesser = ["fuel:coal"]\nexclusive = true'
    )
    (term,) = terms_of(["coal"], aliases)
    assert term.exact == ((Word("kind:generation"),),)
    assert term.loose == ((Word("kind:generation"),), (Word("fuel:coal"),))


def test_a_query_without_known_words_has_no_step() -> None:
    assert steps("zzz", group(1, "lmp"), names=KnownNames((), ())) == []


def test_a_set_of_groups_is_filtered_by_attributes() -> None:
    vocabulary = Vocabulary([group(1, "lmp"), group(2, "load", kind="load"), group(3, "lmp", source="nj")], {})
    assert [one.group_id for one in vocabulary.members(vocabulary.matching({"kind": "price", "source": "nj"}))] == [3]
    assert vocabulary.matching({"source": "none"}) == 0
