import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.source import RefusedFile, SourceFile


def table(text: str, *, required: tuple[str, ...] = ("a",), header_line: int = 1) -> tuple[pl.DataFrame, Refusals]:
    document = SourceFile("x.csv", text.encode())
    refusals = Refusals(document.raw)
    return read_table(document, required, refusals, header_line=header_line), refusals


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cells_come_as_text_with_their_line_whatever_the_line_ends(end: str) -> None:
    frame, _ = table(end.join(["a,b", "1, x ", "", "2,"]))
    assert frame.rows() == [("1", "x", 2), ("2", None, 4)]


def test_lines_above_the_header_are_skipped_and_counted() -> None:
    frame, _ = table("title\n\na,b\n1,2\n", header_line=3)
    assert frame["line"].to_list() == [4]


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    frame, _ = table("\ufeffa,b\n1,2\n")
    assert frame.columns == ["a", "b", "line"]


def test_a_missing_column_refuses_the_file_and_names_it() -> None:
    with pytest.raises(RefusedFile, match="wrong header: 'price' not among 'a', 'b'"):
        table("a,b\n1,2\n", required=("price",))


def test_a_cut_off_last_line_refuses_the_file() -> None:
    with pytest.raises(RefusedFile, match="line 3: truncated: the last line has 1 of 2 fields"):
        table("a,b\n1,2\n3")


def test_a_row_with_too_many_fields_refuses_the_file_and_says_where() -> None:
    with pytest.raises(RefusedFile, match="line 3: 3 fields under a header of 2"):
        table("a,b\n1,2\n1,2,3\n4,5\n")


def test_a_row_with_too_few_fields_is_held_back_and_a_blank_one_is_not() -> None:
    frame, refusals = table("a,b\n1\n2,\n3,4\n")
    assert frame["a"].to_list() == ["2", "3"]
    assert refusals.frame().select("line", "reason", "raw").rows() == [(2, Reason.MISSING_FIELD, "1")]


def test_zero_bytes_are_an_empty_file() -> None:
    with pytest.raises(RefusedFile, match="empty"):
        table("")


def test_repeated_and_empty_header_words_get_their_position() -> None:
    frame, _ = table("a,a,\n1,2,3\n")
    assert frame.columns == ["a", "a#2", "#3", "line"]


def test_a_text_that_is_not_a_finite_number_is_held_back_as_one_cell() -> None:
    frame, refusals = table("a,b\n1,x\n2,inf\n3,NaN\n4,-.5\n5,\n")
    numbers = refusals.numbers(frame, {"value": "b"})
    assert numbers["value"].to_list() == [None, None, None, -0.5, None]
    held = refusals.frame()
    assert held.select("line", "column", "reason", "detail").rows() == [
        (2, "b", Reason.NON_NUMERIC, "x"),
        (3, "b", Reason.NON_NUMERIC, "inf"),
        (4, "b", Reason.NON_NUMERIC, "NaN"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", ""], ids=["LF", "CR LF", "no end"])
def test_rows_after_a_quoted_line_break_have_the_line_on_which_they_begin(end: str) -> None:
    lines = ["a,b,c", '1,"x', 'y",2', "", "3,z,bad", '4,"p', "", 'q",5']
    frame, refusals = table((end or "\n").join(lines) + end)
    assert frame["line"].to_list() == [2, 5, 6]
    refusals.numbers(frame, {"number": "c"})
    (held,) = refusals.frame().to_dicts()
    assert (held["line"], held["raw"]) == (5, "3,z,bad")


def test_the_text_of_a_held_row_goes_on_where_its_quoted_cell_does() -> None:
    frame, refusals = table('a,b,c\n1,"x\ny",bad\n2,z,3\n')
    refusals.numbers(frame, {"number": "c"})
    (held,) = refusals.frame().to_dicts()
    assert (held["line"], held["raw"]) == (2, '1,"x\ny",bad')


def test_a_row_of_several_lines_whose_last_cell_is_empty_is_not_too_short() -> None:
    frame, refusals = table('a,b,c\n1,"x\ny",\n2,z,3\n')
    assert frame["line"].to_list() == [2, 4]
    assert refusals.frame().is_empty()


def test_a_last_row_of_several_lines_is_not_cut_off() -> None:
    frame, _ = table('a,b,c\n1,2,3\n4,"x\ny\nz",5\n')
    assert frame.rows() == [("1", "2", "3", 2), ("4", "x\ny\nz", "5", 3)]
