import pytest

from aurum.pipelines.reading.json_text import as_json, read_json
from aurum.pipelines.source import RefusedFile, SourceFile


def read(text: str) -> object:
    return read_json(SourceFile("x.json", text.encode()))


def test_numbers_stay_the_texts_of_the_file() -> None:
    text = '{"a": [1.10, 5E+04, -0, "1", null, true], "b": {"c": 12345678901234567890}}'
    value = read(text)
    assert value == {"a": ["1.10", "5E+04", "-0", "1", None, True], "b": {"c": "12345678901234567890"}}
    assert as_json(value) == text


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":'], ids=["nested", "cut off"])
def test_a_document_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(RefusedFile):
        read(text)


def test_half_of_a_character_is_replaced_by_one_that_no_id_holds() -> None:
    assert read('["\\ud800x", "\\ud83d\\ude00"]') == ["\uffffx", "\U0001f600"]
