"""The portal: what is served, to whom, how it is found, and what a browser may do with it."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from aurum.api.http.problems import ALL_KINDS
from aurum.common.guides import guides_directory

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
GUIDES = sorted(path.stem for path in guides_directory(None).glob("[a-z]*.md"))
PAGES = [
    "/docs",
    "/docs?q=cursor",
    "/docs/reference",
    "/problems",
    *(f"/docs/guides/{name}" for name in GUIDES),
    *(f"/problems/{kind.name}" for kind in ALL_KINDS),
]
_TARGET = re.compile(r'(?:href|src|action)="([^"]*)"')


async def targets(client: httpx.AsyncClient, path: str) -> set[str]:
    return set(_TARGET.findall((await client.get(path, headers=BROWSER)).text))


async def test_the_root_leads_to_the_documentation(client: httpx.AsyncClient) -> None:
    root = await client.get("/", follow_redirects=True)
    assert (root.url.path, root.status_code) == ("/docs", 200)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_html_that_may_run_and_load_nothing_inline_or_from_elsewhere(
    client: httpx.AsyncClient, path: str
) -> None:
    page = await client.get(path, headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy[0]
    loaded = re.findall(r'<(?:script|link|img)[^>]*?(?:src|href)="([^"]*)"', page.text)
    assert loaded
    assert all(one.startswith("/docs/assets/") for one in loaded)
    assert "<style" not in page.text
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", page.text)


@pytest.mark.parametrize("path", PAGES)
async def test_every_link_of_a_page_leads_somewhere(client: httpx.AsyncClient, path: str) -> None:
    for target in await targets(client, path):
        address, _, anchor = target.partition("#")
        if target.startswith("https://"):
            continue
        answer = await client.get(address or path, headers=BROWSER, follow_redirects=True)
        assert answer.status_code == 200, target
        if anchor and not anchor.startswith("/"):
            assert f'id="{anchor}"' in answer.text, target


async def test_what_is_no_page_keeps_the_strict_policy(client: httpx.AsyncClient) -> None:
    for path in ("/live", "/docs/search?q=x", "/docs/assets/portal.css", "/problems/invalid"):
        assert (await client.get(path)).headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_the_home_page_lists_every_guide_operation_and_problem(client: httpx.AsyncClient) -> None:
    links = await targets(client, "/docs")
    assert {f"/docs/guides/{name}" for name in GUIDES} <= links
    assert {f"/problems/{kind.name}" for kind in ALL_KINDS} <= links
    contract = (await client.get("/openapi.json")).json()
    operations = [one for methods in contract["paths"].values() for one in methods.values()]
    assert {f"/docs/reference#/{one['tags'][0]}/{one['operationId']}" for one in operations} <= links


async def test_guides_stand_in_the_order_of_their_index(client: httpx.AsyncClient) -> None:
    index = (guides_directory(None) / "README.md").read_text()
    assert sorted(re.findall(r"\((\S+)\.md\)", index)) == GUIDES
    page = (await client.get("/docs")).text
    places = [page.index(f'"/docs/guides/{name}"') for name in re.findall(r"\((\S+)\.md\)", index)]
    assert places == sorted(places)


async def test_problem_pages_are_markdown_for_all_but_browsers(client: httpx.AsyncClient) -> None:
    for accept in (
        "*/*",
        "application/json",
        "text/markdown",
        "text/html;q=0.5, text/markdown",
        "text/html;q=0",
        "text/html;q=x",
    ):
        page = await client.get("/problems/not-found", headers={"accept": accept})
        assert page.headers["content-type"] == "text/markdown; charset=utf-8", accept
        assert page.text.startswith("# Not found\n")
        assert "accept" in page.headers["vary"].lower()
    assert (await client.get("/problems", headers={"accept": "*/*"})).text.count("](/problems/") == len(ALL_KINDS)
    for accept in ("text/html", BROWSER["accept"]):
        page = await client.get("/problems/not-found", headers={"accept": accept})
        assert "<h1" in page.text


async def test_one_answer_never_stands_for_the_other(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        for headers, kind in ((BROWSER, "text/html"), ({"accept": "*/*"}, "text/markdown")):
            page = await client.get("/problems/conflict", headers=headers)
            assert page.headers["content-type"].startswith(kind)


async def test_a_guide_is_a_page_unless_markdown_is_asked_for(client: httpx.AsyncClient) -> None:
    source = (guides_directory(None) / "as-of.md").read_text()
    assert "<h1" in (await client.get("/docs/guides/as-of")).text
    assert (await client.get("/docs/guides/as-of", headers={"accept": "text/markdown"})).text == source


@pytest.mark.parametrize(
    "path",
    ["/docs/guides/nothing", "/docs/guides/README", "/docs/guides/..%2fadr%2findex", "/docs/assets/nothing", "/problems/x"],
)
async def test_a_missing_page_is_an_error_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("query", "url"),
    [
        ("clock change", "/docs/guides/time-and-clock-changes"),
        ("IF-NONE-MATCH", "/docs/guides/rate-limits#send-fewer-requests"),
        ("listSeries", "/docs/reference#/series/listSeries"),
        ("too many", "/problems/rate-limited"),
        ("revisions", "/docs/reference#/observations/readRevisions"),
    ],
)
async def test_a_search_finds_guides_operations_and_problems(client: httpx.AsyncClient, query: str, url: str) -> None:
    hits = (await client.get("/docs/search", params={"q": query})).json()
    assert url in [hit["url"] for hit in hits]
    assert url in await targets(client, f"/docs?q={query}")


async def test_a_search_for_nothing_finds_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/docs/search", params={"q": "xyzzy"})).json() == []
    assert (await client.get("/docs/search", params={"q": " ,. "})).json() == []
    assert "No page has all of these words" in (await client.get("/docs?q=xyzzy")).text


async def test_what_is_searched_for_is_shown_as_text(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs", params={"q": "\"><script>alert(1)</script><b x='"})).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_too_long_a_search_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/docs/search", params={"q": "x" * 201})).status_code == 422


async def test_the_reference_shows_the_contract_with_a_renderer_that_is_served_from_here(client: httpx.AsyncClient) -> None:
    links = await targets(client, "/docs/reference")
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "reference.js", "portal.css", "portal.js", "aurum.svg"):
        assert f"/docs/assets/{name}" in links
        asset = await client.get(f"/docs/assets/{name}")
        assert (asset.status_code, asset.headers["cache-control"]) == (200, "public, max-age=3600")
    assert '"/openapi.json"' in (await client.get("/docs/assets/reference.js")).text


def test_the_assets_are_small() -> None:
    folder = Path(__file__).parents[2] / "src/aurum/api/pages/assets"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 30_000


async def test_a_guide_shows_its_pictures(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs/guides/forecasts", headers=BROWSER)
    assert 'src="/docs/assets/forecasts.svg"' in page.text
    picture = await client.get("/docs/assets/forecasts.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.content.startswith(b"<svg")
    assert (await client.get("/docs/assets/none.svg")).status_code == 404
