import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.catalog import Reason
from aurum.core.keys import SeriesKey
from aurum.pipelines.reading.ids import LONGEST, read_id, with_ids
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import IdRule


@pytest.mark.parametrize("text", ["51217", "51217.0", "51217.", "51,217", "51,217.00", "5.1217E+04", "5.12170e4", "00051217"])
def test_a_number_in_another_spelling_is_the_same_id(text: str) -> None:
    assert read_id(text, IdRule.NUMBER) == "51217"


@pytest.mark.parametrize(
    "text",
    [
        "5.12E+04",
        "5E+04",
        "51217.5",
        "5,1217",
        "51,21",
        "51 217",
        "-51217",
        "+51217",
        "５１２１７",
        "0xC811",
        "51217x",
        "1e400",
        "nan",
    ],
)
def test_a_number_whose_digits_are_not_certain_is_no_id(text: str) -> None:
    assert read_id(text, IdRule.NUMBER) is None


@given(number=st.integers(0, 10**12))
def test_a_number_is_read_back_from_every_certain_spelling(number: int) -> None:
    for text in (str(number), f"{number}.0", f"{number:,}", f"{number:015}", f"{number:.15E}"):
        assert read_id(text, IdRule.NUMBER) == str(number) or (number == 0 and "E" in text)


@given(number=st.integers(1, 10**12), digits=st.integers(0, 6))
def test_an_exponent_never_makes_another_number(number: int, digits: int) -> None:
    assert read_id(f"{number:.{digits}E}", IdRule.NUMBER) in (str(number), None)


@pytest.mark.parametrize(
    ("text", "rule", "code"),
    [
        ("01001", IdRule.FIPS, "01001"),
        ("1001", IdRule.FIPS, "01001"),
        ("1001.0", IdRule.FIPS, "01001"),
        ("6", IdRule.FIPS, "06"),
        ("100", IdRule.FIPS, None),
        ("1020001", IdRule.HUC, "01020001"),
        ("01020001", IdRule.HUC, "01020001"),
    ],
)
def test_codes_keep_their_leading_zero(text: str, rule: IdRule, code: str | None) -> None:
    assert read_id(text, rule) == code


INVISIBLE = ["\x00", "\x91", "\u200b", "\u200e", "\u202e", "\ufeff", "\u00ad", "\ue000", "\u0378", "\u2028", "\n", "\t"]
# Default-ignorable characters that Python calls printable.
INVISIBLE += list("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u3164\ufe00\ufe0f\uffa0\U000e0100\U000e01ef")


@pytest.mark.parametrize("character", INVISIBLE, ids=ascii)
@pytest.mark.parametrize("rule", list(IdRule))
def test_an_invisible_character_within_an_id_is_held_back(character: str, rule: IdRule) -> None:
    assert read_id(f"61{character}757", rule) is None


def test_spaces_of_all_kinds_are_one_and_letters_are_composed() -> None:
    assert read_id("\u00a0HUD\u00a0VL ") == "HUD VL"
    assert read_id("HUD\u202fVL") == "HUD VL"
    assert read_id("Que\u0301bec") == "Québec"
    assert read_id(" ") is None
    assert read_id("x" * (LONGEST + 1)) is None


@given(text=st.text(max_size=40), rule=st.sampled_from(IdRule))
def test_every_id_that_is_read_can_be_part_of_a_series_key_and_reads_as_itself(text: str, rule: IdRule) -> None:
    location = read_id(text, rule)
    if location is not None:
        key = SeriesKey("source", "dataset", location, "measure")
        assert SeriesKey.parse(str(key)) == key
        assert read_id(location, rule) == location
        assert unicodedata.is_normalized("NFC", location)


def test_rows_without_a_readable_id_are_held_back_with_the_reason() -> None:
    refusals = Refusals(lambda line: f"line {line}")
    frame = pl.DataFrame(
        {"PTID": ["61757", "61757.0", None, "61\u200b757"], "line": [2, 3, 4, 5]}, schema_overrides={"line": pl.UInt32}
    )
    read = with_ids(frame, "PTID", refusals, rule=IdRule.NUMBER)
    assert read.select("location", "line").rows() == [("61757", 2), ("61757", 3)]
    assert refusals.frame().select("line", "column", "reason").rows() == [
        (4, "PTID", Reason.MISSING_FIELD),
        (5, "PTID", Reason.UNKNOWN_CODE),
    ]
