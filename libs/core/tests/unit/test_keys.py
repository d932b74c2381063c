import pytest

from aurum.core.errors import Invalid
from aurum.core.keys import InvalidSeriesKey, SeriesKey


def test_key_prints_as_it_is_read() -> None:
    key = SeriesKey.parse("isone:da_lmp:321:lmp")
    assert key == SeriesKey("isone", "da_lmp", "321", "lmp")
    assert str(key) == "isone:da_lmp:321:lmp"


def test_location_may_hold_colons_blanks_and_accents() -> None:
    assert SeriesKey.parse("spp:da_lmp:A:B C é:lmp").location == "A:B C é"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "isone:da_lmp:321",
        "ISONE:da_lmp:321:lmp",
        "isone:da lmp:321:lmp",
        "isone:da_lmp::lmp",
        "isone:da_lmp: 321:lmp",
        "isone:da_lmp:3\n21:lmp",
        "_isone:da_lmp:321:lmp",
        "isone:da_lmp:321:lmp\n",
    ],
)
def test_text_that_is_not_a_key_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(InvalidSeriesKey) as caught:
        SeriesKey.parse(text)
    assert isinstance(caught.value, Invalid)
    assert caught.value.facts == {"key": text}


def test_keys_sort_by_source_dataset_location_measure() -> None:
    keys = [SeriesKey.parse(text) for text in ("b:a:1:x", "a:b:1:x", "a:a:2:x", "a:a:1:y", "a:a:1:x")]
    assert [str(key) for key in sorted(keys)] == ["a:a:1:x", "a:a:1:y", "a:a:2:x", "a:b:1:x", "b:a:1:x"]
