"""Text files that would fill the memory, or that no parser survives, are refused with a reason that says what is wrong."""

from __future__ import annotations

import pytest

from aurum.pipelines.reading.bounds import LINE_BYTES, MOST_JSON_VALUES, check_bounds
from aurum.pipelines.reading.json_text import read_json
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.source import RefusedFile, SourceFile


def table(content: bytes) -> None:
    document = SourceFile("x.csv", content)
    check_bounds(document)
    read_table(document, ["a"], Refusals(document.raw))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a,b\n" + b"\n" * 9_000_000, "most of its 9,000,001 lines are empty"),
        (b"a," + b"b," * 1_000_000 + b"\n1\n", "line 1: a line of more than 1,048,576 bytes"),
        (b"a," + b"b," * 20_000 + b"\n1\n", "line 1: 20,002 columns: at most 16,384 are read"),
        (b"a,b\n1,2\n3," + b"x" * 200_000 + b"\n", "line 3: a field of more than 131,072 characters"),
        (b"x" * 200_000 + b",a\n1,2\n", "line 1: a field of more than 131,072 characters"),
        (b'a,b\n1,"' + b"x,2\n" * 100_000, "a quoted field is not closed"),
        (b'a,b\n1,"' + b"x,2\n" * 100_000 + b'"\n3,4\n', "line 2: a field of 400,000 bytes in column 'b'"),
        (b"a" + b",b" * 9_999 + b"\n" + b"1\n" * 1_000, "the header has 10,000 columns, and most of the 1,001 lines"),
        (b"a" + b",b" * 9_999 + b"\n" + b"1\n" * 20_000, "at most 100,000,000 cells are read"),
    ],
    ids=[
        "empty lines",
        "long line",
        "many columns",
        "long field",
        "long header",
        "endless quote",
        "late quote",
        "short rows",
        "many cells",
    ],
)
def test_a_table_beyond_its_bounds_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(RefusedFile, match=reason):
        table(content)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_as_long_as_they_may_be_are_read(end: bytes) -> None:
    check_bounds(SourceFile("x.csv", (b"x" * (LINE_BYTES - len(end)) + end) * 3))


def test_json_and_xml_may_be_one_line() -> None:
    for start in (b"{", b"\xef\xbb\xbf[", b" \n<"):
        check_bounds(SourceFile("x", start + b" " * 2 * LINE_BYTES))


def test_a_workbook_that_is_not_compressed_has_no_lines() -> None:
    for start in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        check_bounds(SourceFile("x.xlsx", start + b"<row><c/></row>" * LINE_BYTES))


def test_json_with_too_many_values_is_refused_before_it_is_read() -> None:
    with pytest.raises(RefusedFile, match="at most 5,000,000 are read"):
        check_bounds(SourceFile("x.json", b"[" + b"0," * MOST_JSON_VALUES + b"0]"))


@pytest.mark.parametrize(("depth", "inner"), [(100_000, b""), (900, b'"\\ud800"')], ids=["plain", "with half a character"])
def test_deeply_nested_json_is_refused(depth: int, inner: bytes) -> None:
    with pytest.raises(RefusedFile, match="nested too deeply"):
        read_json(SourceFile("x.json", b"[" * depth + inner + b"]" * depth))
