"""The law of ``aurum.core.merge`` for points of any shape, against a model that holds tuples and compares them one by one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple, TypeAlias

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.frames import PUBLICATIONS, UTC_US
from aurum.core.merge import OBSERVATIONS, History, Shape

START = datetime(2026, 1, 1, tzinfo=UTC)
LAST_KNOWN = 5
NAN = math.nan

Fields: TypeAlias = tuple[object, ...]


class Publication(NamedTuple):
    """A publication: at ``known_at`` the content of a point was ``content``."""

    key: Fields
    known_at: datetime
    content: Fields


class Change(NamedTuple):
    """A content that a point has from ``known_at`` on, in a form that can be compared: NaN equals NaN."""

    key: Fields
    known_at: datetime
    content: Fields
    superseded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A shape with the types of its columns and the publications to try it with."""

    name: str
    shape: Shape
    schema: pl.Schema
    publications: st.SearchStrategy[Publication]

    def frame(self, publications: Iterable[Publication]) -> pl.DataFrame:
        rows = [(*one.key, *one.content, one.known_at) for one in publications]
        columns = [*self.shape.key, *self.shape.content, "known_at"]
        schema = pl.Schema({name: self.schema[name] for name in columns})
        return pl.DataFrame(rows, schema=schema, orient="row").select(self.schema.names())

    def nothing(self) -> History:
        confirmations = self.schema.to_frame().select(*self.shape.key, "known_at")
        return History(self.schema.to_frame(), confirmations)

    def publications_in(self, frame: pl.DataFrame) -> list[Publication]:
        """The rows of a frame; contents are comparable."""
        return [
            Publication(
                tuple(row[name] for name in self.shape.key),
                row["known_at"],
                comparable(tuple(row[name] for name in self.shape.content)),
            )
            for row in frame.iter_rows(named=True)
        ]

    def changes_in(self, frame: pl.DataFrame) -> list[Change]:
        publications = self.publications_in(frame)
        return [Change(*one, ended) for one, ended in zip(publications, frame["superseded_at"].to_list(), strict=True)]

    def points_in(self, frame: pl.DataFrame) -> list[tuple[object, ...]]:
        return sorted(frame.select(*self.shape.key, "known_at").rows())


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


known_times = st.integers(0, LAST_KNOWN).map(hour)
numbers = st.sampled_from([None, NAN, -math.inf, -1.0, -0.0, 0.0, 1.0, math.inf])
texts = st.sampled_from([None, "", "EUR", "eur", "€"])

QUOTE_NUMBERS = ("settle", "bid", "ask", "high", "low", "volume", "open_interest")
QUOTE_TEXTS = ("currency", "unit", "status")
# Texts stand between numbers, so that a tie may be settled by either.
QUOTE_CONTENT = ("settle", "currency", "bid", "ask", "unit", "high", "low", "status", "volume", "open_interest")
QUOTE_KEYS: list[Fields] = [
    ("power-base", "2027", date(2026, 1, 2)),
    ("power-base", "2027", date(2026, 1, 5)),
    ("power-base", "2028", date(2026, 1, 2)),
    ("power-peak", "2027", date(2026, 1, 2)),
]


def quote(fields: Sequence[tuple[int, object]]) -> Fields:
    """Return a content of which most is null, so that two of them are often equal, or differ in one field."""
    content: list[object] = [None] * len(QUOTE_CONTENT)
    for place, value in fields:
        content[place] = value
    return tuple(content)


quote_fields = st.one_of(
    *(st.tuples(st.just(n), texts if name in QUOTE_TEXTS else numbers) for n, name in enumerate(QUOTE_CONTENT))
)
observation_keys = st.tuples(st.integers(1, 2), st.integers(0, 1).map(hour))
observation_contents = st.tuples(numbers.filter(lambda value: value is not None), st.integers(0, 1))

POINTS = Kind(
    "observations",
    OBSERVATIONS,
    PUBLICATIONS,
    st.builds(Publication, observation_keys, known_times, observation_contents),
)
QUOTES = Kind(
    "quotes",
    Shape(key=("product", "period", "trade_date"), content=QUOTE_CONTENT),
    pl.Schema(
        {"product": pl.String(), "period": pl.String(), "trade_date": pl.Date(), "known_at": UTC_US}
        | {name: pl.String() if name in QUOTE_TEXTS else pl.Float64() for name in QUOTE_CONTENT}
    ),
    st.builds(Publication, st.sampled_from(QUOTE_KEYS), known_times, st.lists(quote_fields, max_size=2).map(quote)),
)
of_each_kind = pytest.mark.parametrize("kind", [POINTS, QUOTES], ids=lambda kind: kind.name)
some_examples = settings(max_examples=settings().max_examples * 2 // 5)


def comparable(content: Fields) -> Fields:
    """Return a content that compares field by field: null lowest, NaN highest, each equal to itself."""
    return tuple((0,) if one is None else (2,) if one != one else (1, one) for one in content)


def decided(publications: Iterable[Publication]) -> list[Publication]:
    """Return the greatest publication of each key and known time, with comparable contents, ascending."""
    ordered = sorted(Publication(one.key, one.known_at, comparable(one.content)) for one in publications)
    return [list(tied)[-1] for _, tied in groupby(ordered, key=lambda one: (one.key, one.known_at))]


def expected_changes(publications: Iterable[Publication]) -> list[Change]:
    expected: list[Change] = []
    for _, of_point in groupby(decided(publications), key=lambda one: one.key):
        changes = [next(run) for _, run in groupby(of_point, key=lambda one: one.content)]
        ends = [after.known_at for after in changes[1:]]
        expected += [Change(*one, ended) for one, ended in zip(changes, [*ends, None], strict=True)]
    return expected


def expected_confirmations(publications: Iterable[Publication]) -> list[tuple[object, ...]]:
    publications = list(publications)
    changes = {(one.key, one.known_at) for one in expected_changes(publications)}
    return [(*one.key, one.known_at) for one in decided(publications) if (one.key, one.known_at) not in changes]


def expected_in_force(publications: Iterable[Publication]) -> list[Publication]:
    return [list(of_point)[-1] for _, of_point in groupby(decided(publications), key=lambda one: one.key)]


def rewritten(kind: Kind, files: Iterable[Sequence[Publication]]) -> History:
    """Return the history after ``rewrite`` of every file, as if all publications were late."""
    history = kind.nothing()
    for file in files:
        history = kind.shape.rewrite(history, kind.frame(file))
    return history


def written(kind: Kind, files: Iterable[Sequence[Publication]]) -> History:
    """Return the history as a writer builds it: only late publications go through ``rewrite``."""
    changes, confirmations = kind.nothing().changes, kind.nothing().confirmations
    shape, key = kind.shape, list(kind.shape.key)
    for file in files:
        for layer in shape.layers(kind.frame(file)):
            classified = shape.classify(layer, shape.in_force(changes))
            # What is confirmed later than it was revised comes back at that time, which only the history tells.
            revising = classified.revising.select(layer.columns).join(confirmations, on=key, how="anti")
            overtaken = classified.revising.select(layer.columns).join(confirmations, on=key, how="semi")
            changes = pl.concat([changes, classified.fresh, revising])
            again = classified.confirming.select(*key, "known_at").join(confirmations, on=[*key, "known_at"], how="anti")
            confirmations = pl.concat([confirmations, again])
            late = pl.concat([classified.late, overtaken])
            of_late = late.select(key).unique()
            touched = History(
                changes.join(of_late, on=key, how="semi").sort([*key, "known_at"]),
                confirmations.join(of_late, on=key, how="semi"),
            )
            after = shape.rewrite(touched, late)
            changes = pl.concat([changes.join(of_late, on=key, how="anti"), after.changes.select(changes.columns)])
            confirmations = pl.concat([confirmations.join(of_late, on=key, how="anti"), after.confirmations])
    return shape.rewrite(History(changes.sort([*key, "known_at"]), confirmations), changes.clear())


def assert_history_of(kind: Kind, history: History, publications: Sequence[Publication]) -> None:
    assert kind.changes_in(history.changes) == expected_changes(publications)
    assert kind.points_in(history.confirmations) == expected_confirmations(publications)


@st.composite
def deliveries(draw: st.DrawFn, kind: Kind) -> list[list[Publication]]:
    """Draw files: publications in any order, some of them repeated, split anywhere."""
    publications = draw(st.lists(kind.publications, min_size=1, max_size=10))
    again = draw(st.lists(st.sampled_from(publications), max_size=3))
    order = draw(st.permutations([*publications, *again]))
    cuts = draw(st.sets(st.integers(1, len(order)), max_size=4))
    return [order[start:end] for start, end in pairwise([0, *sorted(cuts), len(order)]) if start < end]


def drawn_deliveries(data: st.DataObject, kind: Kind) -> tuple[list[list[Publication]], list[Publication]]:
    files = data.draw(deliveries(kind))
    return files, [one for file in files for one in file]


@of_each_kind
@some_examples
@given(data=st.data())
def test_a_rewritten_history_is_that_of_the_set_of_publications(kind: Kind, data: st.DataObject) -> None:
    files, publications = drawn_deliveries(data, kind)
    assert_history_of(kind, rewritten(kind, files), publications)


@of_each_kind
@some_examples
@given(data=st.data())
def test_a_writer_that_rewrites_only_late_publications_has_the_same_history(kind: Kind, data: st.DataObject) -> None:
    files, publications = drawn_deliveries(data, kind)
    assert_history_of(kind, written(kind, files), publications)


@of_each_kind
@some_examples
@given(data=st.data())
def test_the_content_in_force_at_any_known_time_does_not_depend_on_the_order_of_files(kind: Kind, data: st.DataObject) -> None:
    files, publications = drawn_deliveries(data, kind)
    shuffled = data.draw(st.permutations(files))
    first, second = rewritten(kind, files).changes, rewritten(kind, shuffled).changes
    for number in range(-1, LAST_KNOWN + 1):
        as_of = hour(number)
        stands = (pl.col("known_at") <= as_of) & (pl.col("superseded_at").is_null() | (pl.col("superseded_at") > as_of))
        content_as_of = [
            [(one.key, one.content) for one in kind.changes_in(changes.filter(stands))] for changes in (first, second)
        ]
        known_by_then = [one for one in publications if one.known_at <= as_of]
        expected = [(one.key, one.content) for one in expected_in_force(known_by_then)]
        assert content_as_of == [expected, expected]


@of_each_kind
@some_examples
@given(data=st.data())
def test_a_later_publication_changes_nothing_that_was_known_before(kind: Kind, data: st.DataObject) -> None:
    files, _ = drawn_deliveries(data, kind)
    later = [one._replace(known_at=hour(LAST_KNOWN + 1)) for one in data.draw(st.lists(kind.publications, max_size=5))]
    before, after = rewritten(kind, files).changes, rewritten(kind, [*files, later]).changes
    known = pl.col("known_at") <= hour(LAST_KNOWN)
    columns = pl.all().exclude("superseded_at")
    assert_frame_equal(after.filter(known).select(columns), before.select(columns))
    ended = after.filter(known)["superseded_at"]
    assert ended.filter(before["superseded_at"].is_not_null()).to_list() == before["superseded_at"].drop_nulls().to_list()
    assert set(ended.filter(before["superseded_at"].is_null())) <= {None, hour(LAST_KNOWN + 1)}


@of_each_kind
@some_examples
@given(data=st.data())
def test_delivering_the_same_rows_again_changes_nothing(kind: Kind, data: st.DataObject) -> None:
    files, publications = drawn_deliveries(data, kind)
    history = rewritten(kind, files)
    again = kind.shape.rewrite(history, kind.frame(data.draw(st.lists(st.sampled_from(publications)))))
    assert_frame_equal(again.changes, history.changes)
    assert_frame_equal(again.confirmations, history.confirmations, check_row_order=False)


@of_each_kind
@some_examples
@given(data=st.data())
def test_no_change_repeats_the_content_before_it(kind: Kind, data: st.DataObject) -> None:
    files, _ = drawn_deliveries(data, kind)
    for before, after in pairwise(kind.changes_in(rewritten(kind, files).changes)):
        if before.key == after.key:
            assert before.known_at < after.known_at
            assert before.content != after.content


@of_each_kind
@some_examples
@given(data=st.data())
def test_the_greatest_publication_of_the_last_known_time_is_in_force(kind: Kind, data: st.DataObject) -> None:
    publications = data.draw(st.lists(kind.publications, max_size=12))
    assert kind.publications_in(kind.shape.in_force(kind.frame(publications))) == expected_in_force(publications)


@of_each_kind
@some_examples
@given(data=st.data())
def test_layers_hold_every_decided_publication_once_and_older_ones_first(kind: Kind, data: st.DataObject) -> None:
    publications = data.draw(st.lists(kind.publications, max_size=12))
    layers = [kind.publications_in(layer) for layer in kind.shape.layers(kind.frame(publications))]
    assert sorted(one for layer in layers for one in layer) == decided(publications)
    for layer in layers:
        keys = [one.key for one in layer]
        assert keys == sorted(set(keys))
    for older, newer in pairwise(layers):
        known = {one.key: one.known_at for one in older}
        assert all(known[one.key] < one.known_at for one in newer)


@of_each_kind
@some_examples
@given(data=st.data())
def test_each_publication_of_a_batch_falls_into_the_class_that_the_current_content_says(
    kind: Kind, data: st.DataObject
) -> None:
    stored = data.draw(st.lists(kind.publications, max_size=8))
    current = kind.shape.in_force(kind.frame(stored))
    batch = kind.shape.in_force(kind.frame(data.draw(st.lists(kind.publications, max_size=8))))
    there = {one.key: one for one in kind.publications_in(current)}
    expected: dict[str, list[Publication]] = {"fresh": [], "revising": [], "confirming": [], "late": [], "same": []}
    for one in kind.publications_in(batch):
        old = there.get(one.key)
        if old is None:
            name = "fresh"
        elif one.known_at > old.known_at:
            name = "confirming" if one.content == old.content else "revising"
        else:
            name = "same" if one == old else "late"
        expected[name].append(one)
    classified = kind.shape.classify(batch, current)
    for name in ("fresh", "revising", "confirming", "late"):
        assert kind.publications_in(getattr(classified, name)) == expected[name], name
    if not current.is_empty():
        fields = (*kind.shape.content, "known_at")
        ended = classified.revising.select(*kind.shape.key, *(pl.col(f"old_{name}").alias(name) for name in fields))
        assert kind.publications_in(ended) == [there[one.key] for one in expected["revising"]]


KEY = QUOTE_KEYS[0]


def said_at(known: int, **fields: object) -> Publication:
    return Publication(KEY, hour(known), tuple(fields.get(name) for name in QUOTE_CONTENT))


def contents(history: History, *names: str) -> list[tuple[object, ...]]:
    return history.changes.select("known_at", *names).rows()


@pytest.mark.parametrize(
    ("lesser", "greater"),
    [
        ({"settle": None}, {"settle": -math.inf}),
        ({"settle": 1.0}, {"settle": 2.0}),
        ({"settle": math.inf}, {"settle": NAN}),
        ({"currency": None}, {"currency": ""}),
        ({"currency": "EUR"}, {"currency": "eur"}),
        ({"settle": 1.0, "bid": NAN, "open_interest": NAN}, {"settle": 2.0}),
        ({"settle": 1.0, "currency": "A", "bid": NAN}, {"settle": 1.0, "currency": "B"}),
        ({"settle": NAN, "bid": 1.0}, {"settle": NAN, "bid": 2.0}),
        ({"bid": NAN}, {"settle": -1.0}),
        ({"settle": 0.0, "open_interest": 1.0}, {"settle": -0.0, "open_interest": 2.0}),
    ],
)
def test_a_tie_at_one_known_time_is_settled_by_the_first_field_that_differs(
    lesser: dict[str, object], greater: dict[str, object]
) -> None:
    less, more = said_at(1, **lesser), said_at(1, **greater)
    for files in ([[less], [more]], [[more], [less]], [[less, more]], [[more, less]]):
        for history in (rewritten(QUOTES, files), written(QUOTES, files)):
            (stands,) = QUOTES.publications_in(history.changes.drop("superseded_at"))
            assert stands == more._replace(content=comparable(more.content))
            assert history.confirmations.is_empty()


def test_a_value_confirmed_before_a_late_change_comes_back_when_it_was_confirmed() -> None:
    files = [[said_at(1, settle=1.0)], [said_at(3, settle=1.0)], [said_at(2, settle=2.0)]]
    for history in (rewritten(QUOTES, files), written(QUOTES, files)):
        assert contents(history, "settle") == [(hour(1), 1.0), (hour(2), 2.0), (hour(3), 1.0)]
        assert history.changes["superseded_at"].to_list() == [hour(2), hour(3), None]
        assert history.confirmations.is_empty()


def test_a_late_publication_of_the_value_in_force_moves_its_beginning_and_leaves_a_confirmation() -> None:
    history = rewritten(QUOTES, [[said_at(3, settle=1.0)], [said_at(1, settle=1.0)]])
    assert contents(history, "settle") == [(hour(1), 1.0)]
    assert history.confirmations.rows() == [(*KEY, hour(3))]


@pytest.mark.parametrize("content", [{}, {"settle": NAN}, {"settle": None, "currency": "EUR"}, {"volume": NAN, "unit": None}])
def test_an_equal_content_with_nulls_or_nan_is_not_a_revision(content: dict[str, object]) -> None:
    history = written(QUOTES, [[said_at(1, **content)], [said_at(2, **content)]])
    assert contents(history) == [(hour(1),)]
    assert history.confirmations.rows() == [(*KEY, hour(2))]


def test_a_field_that_becomes_null_is_a_revision() -> None:
    history = written(QUOTES, [[said_at(1, settle=1.0, bid=0.9)], [said_at(2, settle=1.0)]])
    assert contents(history, "settle", "bid") == [(hour(1), 1.0, 0.9), (hour(2), 1.0, None)]


def test_a_field_that_goes_from_nan_to_null_is_a_revision() -> None:
    history = written(QUOTES, [[said_at(1, bid=NAN)], [said_at(2)]])
    assert history.changes.height == 2


def test_points_that_differ_in_one_column_of_the_key_are_different_points() -> None:
    publications = [Publication(key, hour(1), quote([(0, float(number))])) for number, key in enumerate(QUOTE_KEYS)]
    history = written(QUOTES, [[one] for one in publications])
    assert history.changes["settle"].to_list() == [0.0, 1.0, 2.0, 3.0]
    assert history.changes["superseded_at"].null_count() == 4


@of_each_kind
def test_a_batch_without_rows_has_no_publication_and_changes_nothing(kind: Kind) -> None:
    empty = kind.frame([])
    assert [layer.height for layer in kind.shape.layers(empty)] == [0]
    assert kind.shape.in_force(empty).is_empty()
    history = kind.shape.rewrite(kind.nothing(), empty)
    assert history.changes.is_empty()
    assert history.confirmations.is_empty()
    assert list(history.changes.schema) == [*kind.schema, "superseded_at"]
