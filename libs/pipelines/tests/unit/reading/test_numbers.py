import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.pipelines.reading.numbers import numbers, whole, whole_of


def read(text: str, *, thousands: bool = False) -> float | None:
    return pl.DataFrame({"text": [text]}).select(numbers(pl.col("text"), thousands=thousands)).item()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-",
        "NaN",
        "nan",
        "inf",
        "-Infinity",
        "1e400",
        "0x10",
        "1_000",
        "1,5",
        "1.234,5",
        "1,000",
        "1 000",
        "１２",
        "١٢",
        "1.5.2",
        "1e",
        "1d5",
        "true",
        "1\x00",
        "--1",
        "1f",
    ],
    ids=ascii,
)
def test_a_text_that_is_no_number_is_none(text: str) -> None:
    assert read(text) is None


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_back_exactly(value: float) -> None:
    assert read(repr(value)) == value


@given(text=st.text(alphabet="0123456789.,eE+-_ xinfa\u00a0٣", max_size=12))
def test_no_text_is_read_as_another_number_than_python_reads(text: str) -> None:
    number = read(text)
    if number is not None:
        assert "_" not in text
        assert text == text.strip()
        assert math.isfinite(number)
        assert number == float(text)


@given(value=st.integers(-(10**12), 10**12))
def test_thousands_separators_are_read_only_where_the_format_has_them(value: int) -> None:
    text = f"{value:,}.25"
    assert read(text, thousands=True) == float(text.replace(",", ""))
    assert (read(text) is None) == ("," in text)


@pytest.mark.parametrize("text", ["1,00", "1,0000", ",100", "1,,000", "1.5,000"])
def test_a_comma_in_another_place_is_no_thousands_separator(text: str) -> None:
    assert read(text, thousands=True) is None


def test_whole_numbers_are_whole() -> None:
    texts = pl.DataFrame({"text": ["24", "-1", "24.0", "2x", "٣", "", "9" * 30]})
    assert texts.select(whole(pl.col("text")))["text"].to_list() == [24, -1, None, None, None, None, None]
    assert whole_of("7") == 7
    assert whole_of(7.0) is None
