"""Markdown becomes HTML that cannot harm, with headings to link to, and commands a page may run."""

from __future__ import annotations

import pytest

from aurum.api.docs.highlight import highlighted
from aurum.api.docs.markdown import render
from aurum.api.docs.runnable import read_of
from aurum.api.docs.search import SearchEntry, search


def html(source: str) -> str:
    return render("it", source, folder="guides").html


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "```sh\n<script>\n```",
        '```"onload=x\n<b>\n```',
        "`<script>`",
    ],
)
def test_html_in_markdown_stays_text(source: str) -> None:
    assert "<script" not in html(source)
    assert "<img" not in html(source)
    assert "<b>" not in html(source)


def test_links_that_run_code_are_no_links() -> None:
    assert "href" not in html("[x](javascript:alert(1))")


def test_a_heading_can_be_linked_to_even_when_its_text_stands_twice() -> None:
    shown = html("# T\n\n## A day\n\n## A day\n")
    assert '<h2 id="a-day">' in shown
    assert '<h2 id="a-day-">' in shown
    assert 'href="#a-day"' in shown


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("as-of.md", "/docs/guides/as-of"),
        ("as-of.md#two-times", "/docs/guides/as-of#two-times"),
        ("../../contracts/problems/not-found.md", "/problems/not-found"),
        ("/problems/invalid", "/problems/invalid"),
        ("#here", "#here"),
        ("https://example.org/a.md", "https://example.org/a.md"),
    ],
)
def test_links_to_files_lead_to_their_pages(written: str, target: str) -> None:
    assert f'href="{target}"' in html(f"[x]({written})")


def test_a_document_knows_its_title_its_lead_and_its_sections() -> None:
    document = render("it", "# The *title*\n\nFirst\nwords.\n\n## One\n\nText `code`.\n\n```sh\nls\n```\n", folder="guides")
    assert (document.title, document.lead) == ("The title", "First words.")
    assert [(one.level, one.title, one.anchor, one.text) for one in document.sections] == [
        (1, "The title", "the-title", "First words."),
        (2, "One", "one", "Text code."),
    ]


@pytest.mark.parametrize(
    "code", ["echo '<a>' # \"x\" & $Y", '{"a<b": [1, -2.5, null]}', "for x in 'y': # <z>", "GET /x HTTP/1.1\nA: 1"]
)
@pytest.mark.parametrize("language", ["sh", "json", "python", "http", "cobol", ""])
def test_colours_change_nothing_of_the_code(code: str, language: str) -> None:
    from html import unescape
    from re import sub

    assert unescape(sub(r"</?span[^>]*>", "", highlighted(code, language))) == code


def test_colours_tell_words_apart() -> None:
    assert '<span class="hl-option">--force</span>' in highlighted("aurum ingest --force x", "sh")
    assert '<span class="hl-name">&quot;a&quot;</span>' in highlighted('{"a": "b"}', "json")


U = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("code", "read"),
    [
        (f"curl '{U}/v2/series?a=b&c=d'\n", ("/v2/series?a=b&c=d", {})),
        (f"# says\ncurl -i {U}/live", ("/live", {})),
        (f"curl -H 'Accept: text/csv' \\\n  '{U}/v2/series'", ("/v2/series", {"Accept": "text/csv"})),
    ],
)
def test_a_curl_that_reads_can_be_run(code: str, read: tuple[str, dict[str, str]]) -> None:
    assert read_of(code) == read


@pytest.mark.parametrize(
    "code",
    [
        f"curl -X POST {U}/v2/series", f"curl -d x {U}/v2/series", f"curl -o file {U}/v2/series", f"curl {U}/a {U}/b", "ls",
        f"curl {U}/a | head", f"curl {U}/a\ncurl {U}/b", "curl https://example.org/", "curl http://127.0.0.1:80001/x",
        f"x=1 curl {U}/a", f"curl '{U}/a",
        f'curl -H "X-API-Key: $KEY" {U}/a', "curl", "",
    ],
)  # fmt: skip
def test_anything_else_cannot_be_run(code: str) -> None:
    assert read_of(code) is None


ENTRIES = [
    SearchEntry("guide", "Two times", "/a", "As of", "known at some instant"),
    SearchEntry("operation", "Observations", "/b", "GET /v2/observations", "values as known then"),
    SearchEntry("problem", "Known", "/c", "", "nothing else"),
]


def test_words_in_titles_come_first_and_all_words_are_needed() -> None:
    assert [hit.entry.url for hit in search(ENTRIES, "known")] == ["/c", "/a", "/b"]
    assert [hit.entry.url for hit in search(ENTRIES, "known observ")] == ["/b"]
    assert search(ENTRIES, "known nowhere") == []
    assert len(search(ENTRIES, "known", most=2)) == 2


def test_an_excerpt_is_of_the_place_where_the_word_is() -> None:
    text = "begin " * 60 + "needle " + "end " * 60
    (hit,) = search([SearchEntry("guide", "T", "/", "", text)], "needle")
    assert "needle" in hit.excerpt
    assert hit.excerpt.startswith("…begin")
    assert hit.excerpt.endswith("end…")
    assert len(hit.excerpt) < 220
