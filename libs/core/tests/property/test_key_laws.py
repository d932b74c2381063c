"""A key prints to a text that reads back to it, and any text is a key or is refused."""

from hypothesis import given
from hypothesis import strategies as st

from aurum.core.keys import InvalidSeriesKey, SeriesKey

words = st.from_regex(r"[a-z0-9][a-z0-9_]{0,12}", fullmatch=True)
locations = st.text(min_size=1).map(str.strip).filter(lambda text: bool(text) and text.isprintable())
keys = st.builds(
    SeriesKey, words, words, locations | st.from_regex(r"[A-Z:. ]{0,5}[A-Z:]", fullmatch=True).map(str.strip), words
)


@given(keys)
def test_key_is_read_from_what_it_prints(key: SeriesKey) -> None:
    assert SeriesKey.parse(str(key)) == key


@given(st.text() | st.from_regex(r"[a-z0-9_]*:[a-z0-9_]*:.*:[a-z0-9_]*"))
def test_text_is_a_key_that_prints_as_it_was_or_is_refused(text: str) -> None:
    assert printed(text) in (text, None)


def printed(text: str) -> str | None:
    try:
        return str(SeriesKey.parse(text))
    except InvalidSeriesKey:
        return None


@given(keys, keys)
def test_two_keys_are_equal_exactly_when_their_texts_are(one: SeriesKey, other: SeriesKey) -> None:
    assert (one == other) == (str(one) == str(other))
