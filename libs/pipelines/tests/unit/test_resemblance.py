"""The refusal of an unknown file is one line: what the file is or resembles, what does not fit, which columns it has."""

from __future__ import annotations

import io
import zipfile

import pytest

from aurum.pipelines.registry import UnknownFormat, default_registry
from aurum.pipelines.source import SourceFile

REGISTRY = default_registry()
PAL = "Time Stamp,Time Zone,Name,PTID"
LMP = "datetime_beginning_utc,pnode_id,system_energy_price_da,total_lmp_da,congestion_price_da,marginal_loss_price_da"


def reason(content: bytes | str, name: str = "download.csv") -> str:
    with pytest.raises(UnknownFormat) as refused:
        REGISTRY.recognise(SourceFile(name, content.encode() if isinstance(content, str) else content))
    assert "\n" not in refused.value.reason
    return refused.value.reason


def test_the_missing_column_of_the_most_similar_layout_is_named_with_the_columns_found() -> None:
    assert reason(f"{PAL},MW\n07/04/2025 00:00:00,EDT,CAPITL,61757,1\n") == (
        "unknown format: looks most like nyiso pal, but line 1 has no column 'Load'; "
        "columns found: Time Stamp, Time Zone, Name, PTID, MW"
    )


def test_a_header_below_titles_is_found() -> None:
    assert "looks most like nyiso pal, but line 3 has no column 'Load'" in reason(f"New York\n\n{PAL},MW\n")


def test_another_separator_is_named() -> None:
    assert "the fields of line 1 are separated by ';', those of that format by ','" in reason(LMP.replace(",", ";") + "\n")


def test_another_spelling_is_named() -> None:
    assert "has 'PNODE_ID' where that format has 'pnode_id'" in reason(LMP.replace("pnode_id", "PNODE_ID") + "\n")


def test_of_layouts_with_the_same_columns_that_of_the_same_kind_of_file_is_named() -> None:
    assert "looks most like isone SMD hourly sheet (CSV)" in reason("Date,Hr_End,DA_LMP\n")


def test_a_file_like_none_lists_what_it_has() -> None:
    assert reason("a,b,c\n1,2,3\n") == "unknown format: no format has the columns of line 1; columns found: a, b, c"
    assert reason('{"rates": [{"day": 1}]}') == (
        "unknown format: no format has the fields of the JSON; fields found: rates, day"
    )


def test_elements_of_xml_are_compared() -> None:
    text = "<GL_MarketDocument><type>A99</type><TimeSeries><Period>"
    assert "looks most like ENTSO-E load (A65), but the XML has no elements 'Point', 'position', 'quantity'" in reason(text)


def test_a_workbook_shows_its_first_cells() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", "<sst><si><t>Price hub</t></si><si><t>Trade date</t></si></sst>")
    assert "cells found: Price hub, Trade date" in reason(buffer.getvalue(), "book.xlsx")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a PNG picture"),
        (b"PAR1\x15\x04\x15", "a Parquet file"),
        (b"<!DOCTYPE html>\n<html><head><title>Access\n denied</title>", "a web page, 'Access denied'"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"\x1f\x8b\x08\x00", "a gzip archive whose name does not end in .gz"),
        (b"PK\x03\x04\x14\x00", "an archive whose name does not end in .zip"),
    ],
)
def test_a_file_of_another_kind_is_called_that(content: bytes, kind: str) -> None:
    assert reason(content) == f"unknown format: {kind}; such files are not read"


def test_binary_data_without_a_known_mark_is_called_binary() -> None:
    assert reason(bytes(range(1, 32)) * 9) == "unknown format: binary data, neither text nor a workbook"


def test_a_text_that_begins_like_a_program_is_text() -> None:
    assert "columns found: MZ, price" in reason("MZ,price\n")


@pytest.mark.parametrize(
    "content",
    [",".join(f"column {n}" for n in range(50_000)), "x" * 1_000_000, "é" * 5000, '"' * 5000],
    ids=["columns", "one word", "not ASCII", "quotes"],
)
def test_the_line_stays_short_whatever_the_file_holds(content: str) -> None:
    assert len(reason(content)) < 900


def test_every_format_says_which_columns_it_has() -> None:
    formats = [one for source in REGISTRY.sources for one in source.formats]
    without = {one.name for one in formats if not one.columns}
    # The one is told by its root element, the other by the address above its header.
    assert without == {"ENTSO-E acknowledgement", "EIA data navigator chart as CSV"}
