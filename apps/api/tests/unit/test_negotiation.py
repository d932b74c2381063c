"""Which format a caller gets, and whether it has it already."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from aurum.api.cache.etag import entity_tag, is_current
from aurum.api.encoding.negotiate import chosen_format
from aurum.api.http.problems import NotAcceptable
from aurum.api.http.request_state import RequestState


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("text/*", "csv"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "json"),
        ("application/vnd.apache.arrow.stream", "arrow"),
        ("application/vnd.apache.parquet;q=0.5, application/x-ndjson;q=0.9", "ndjson"),
        ("text/csv;q=0, application/json", "json"),
        ("application/json;q=0, */*", "ndjson"),
        ("application/*;q=0, */*", "csv"),
        ("*/*;q=0, text/csv;q=0.1", "csv"),
        ("*/*, text/csv;q=0.5", "json"),
        ("application/x-ndjson, */*", "ndjson"),
    ],
)
def test_the_format_follows_the_accept_header(accept: str | None, expected: str) -> None:
    assert chosen_format(None, accept) == expected


def test_the_parameter_wins_over_the_header() -> None:
    assert chosen_format("parquet", "text/csv") == "parquet"


@pytest.mark.parametrize(
    "accept", ["text/html", "text/csv;q=0", "application/json;q=rather", "image/*", "text/csv;q=nan", "*/*;q=0", ";;,"]
)
def test_what_is_not_offered_is_refused_with_what_is(accept: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        chosen_format(None, accept)
    assert "text/csv" in caught.value.facts["offered"]


def test_a_tag_changes_with_any_part() -> None:
    assert len({entity_tag("a", 1), entity_tag("a", 2), entity_tag("b", 1), entity_tag("a", "1", ""), entity_tag("a1")}) == 5


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, False), ("*", True), ('"x"', True), ('W/"x"', True), ('"y", "x"', True), ('"y"', False), ("x", False)],
)
def test_a_caller_that_has_the_answer_is_recognised(header: str | None, expected: bool) -> None:
    headers = {b"if-none-match": header.encode()} if header else {}
    assert is_current(Request({"type": "http", "aurum": RequestState("id", 0.0, headers)}), '"x"') is expected
