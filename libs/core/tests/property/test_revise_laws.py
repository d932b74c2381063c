"""The law: an answer depends on the set of publications, not on their order, repetition or batching."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aurum.core.series.revise import Publication, answer, revisions

START = datetime(2025, 1, 1, tzinfo=UTC)
instants = st.integers(0, 6).map(lambda hours: START + timedelta(hours=hours))
values = st.sampled_from([0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf])
publications = st.lists(st.builds(Publication, instants, values, st.integers(0, 2)), max_size=12)


@given(publications, st.randoms(), instants)
def test_order_does_not_matter(publications: list[Publication], random, as_of: datetime) -> None:
    shuffled = random.sample(publications, len(publications))
    assert revisions(shuffled) == revisions(publications)
    assert answer(shuffled, as_of) == answer(publications, as_of)


@given(publications, st.data())
def test_repetition_does_not_matter(publications: list[Publication], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(publications), max_size=6)) if publications else []
    assert revisions([*again, *publications]) == revisions(publications)


@given(publications, publications, instants)
def test_batching_does_not_matter(first: list[Publication], second: list[Publication], as_of: datetime) -> None:
    at_once = answer([*first, *second], as_of)
    assert answer([*second, *first], as_of) == at_once
    assert answer([*dict.fromkeys([*first, *second])], as_of) == at_once


@given(publications, instants)
def test_answer_is_the_last_change_known_by_then(publications: list[Publication], as_of: datetime) -> None:
    by_then = [publication for publication in publications if publication.known_at <= as_of]
    assert [answer(publications, as_of)] == (revisions(by_then)[-1:] or [None])


@given(publications, instants)
def test_a_later_publication_never_changes_an_answer_about_the_past(publications: list[Publication], as_of: datetime) -> None:
    later = [Publication(as_of + timedelta(minutes=n), float(n)) for n in (1, 2)]
    assert answer([*later, *publications], as_of) == answer(publications, as_of)


@given(publications)
def test_revisions_are_changes_at_rising_known_times(publications: list[Publication]) -> None:
    changes = revisions(publications)
    assert revisions(changes) == changes
    for before, after in pairwise(changes):
        assert before.known_at < after.known_at
        assert before.content != after.content


@given(publications, instants)
def test_answer_has_the_greatest_known_time_and_of_those_the_greatest_content(
    publications: list[Publication], as_of: datetime
) -> None:
    """The law read directly from its words, without ``revisions``."""
    result = answer(publications, as_of)
    by_then = [publication for publication in publications if publication.known_at <= as_of]
    if not by_then:
        assert result is None
        return
    last = max(by_then, key=lambda publication: (publication.known_at, publication.content))
    assert result is not None
    assert result.content == last.content
    assert result.known_at <= last.known_at
