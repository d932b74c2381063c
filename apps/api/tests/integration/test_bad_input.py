"""Bad input gets a problem document that names the parameter, its value and the accepted values."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

import httpx
import pytest
from api_market import GAS, HOUSTON, LOAD, LONG, NYC, OLD_PRICE, TANK, WEST

pytestmark = pytest.mark.needs_postgres

OBSERVATIONS = f"/v2/series/{NYC}/observations"


async def refused(client: httpx.AsyncClient, url: str, *, status: int = 422, **headers: str) -> dict[str, Any]:
    response = await client.get(url, headers=headers)
    assert response.status_code == status, response.text[:300]
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"] != ""
    assert problem["type"].startswith("/problems/")
    return problem


def field(problem: dict[str, Any]) -> tuple[str, object]:
    (error,) = problem["errors"]
    assert error["message"]
    return error["field"], error["value"]


@pytest.mark.parametrize(
    ("query", "name", "says"),
    [
        ("start=2025-11-03&end=2025-11-01", "start", "after end"),
        ("start=next+week", "start", "is not a time"),
        ("start=2025-02-30", "start", "is not a time"),
        ("start=2025-11-01T25:00:00Z", "start", "is not a time"),
        ("start=", "start", "is empty"),
        ("end=0001-01-01T00:00:00%2B14:00", "end", "is not a time"),
        ("end=9999-12-31T23:59:59-12:00", "end", "is not a time"),
        ("as_of=Yesterday", "as_of", "is not a time"),
        ("start=2025-03-09T02:30:00&tz=market", "start", "does not exist in America/New_York"),
        ("start=2025-11-02T01:30:00&tz=market", "start", "happens twice in America/New_York"),
        ("as_of=2025-11-02T01:30:00&tz=America/Chicago", "as_of", "happens twice"),
        ("tz=Mars/Olympus", "tz", "unknown time zone"),
        ("tz=../../etc/passwd", "tz", "unknown time zone"),
        ("freq=1day", "freq", "must be one of"),
        ("freq=irregular", "freq", "must be one of"),
        ("freq=1d&agg=average", "agg", "must be one of"),
        ("agg=mean", "agg", "needs freq"),
        ("freq=5min", "freq", "finer than the data"),
        ("block=ONPEEK", "block", "unknown block"),
        ("block=pjmm:ON_PEAK", "block", "unknown calendar"),
        ("unit=USD/MWhh", "unit", "unknown unit"),
        ("unit=MW", "unit", "cannot convert"),
        ("unit=EUR/MWh%26", "unit", "unknown unit"),
        ("currency=EUX", "currency", "unknown"),
        ("currency=JPY", "currency", "no rate"),
        ("format=xml", "format", "must be one of"),
        ("layout=wide", "layout", "must be one of"),
        ("start=2025-11-01&start=2025-11-02", "start", "occurs more than once"),
        ("as_off=2025-11-01", "as_off", "not a parameter"),
        ("start=%00", "start", "NUL"),
        ("tz=%ff%fe", "tz", "unknown time zone"),
    ],
)
async def test_a_bad_parameter_is_named_with_its_value(client: httpx.AsyncClient, query: str, name: str, says: str) -> None:
    problem = await refused(client, f"{OBSERVATIONS}?{query}")
    assert field(problem)[0] == name
    assert says in problem["detail"]


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("block=ON_PEEK", "ON_PEAK"),
        ("block=nysio:ON_PEAK", "nyiso"),
        ("unit=USD/MHw", "USD/MWh"),
        ("tz=America/New_Yrok", "America/New_York"),
        ("freq=15m&agg=mean", "15min"),
        ("format=cvs", "csv"),
        ("as_off=2025-11-01", "as_of"),
        ("layout=colums", "columns"),
    ],
)
async def test_the_nearest_valid_names_are_offered(client: httpx.AsyncClient, query: str, nearest: str) -> None:
    assert nearest in (await refused(client, f"{OBSERVATIONS}?{query}"))["nearest"]


@pytest.mark.parametrize("rest", ["", "/observations", "/revisions", "/observations?format=csv"])
async def test_an_unknown_series_is_404_with_the_nearest(client: httpx.AsyncClient, rest: str) -> None:
    problem = await refused(client, f"/v2/series/nyiso:damlbmp_zone:61762:lmp{rest}", status=404)
    assert problem["type"] == "/problems/not-found"
    assert NYC in problem["nearest"]


@pytest.mark.parametrize("key", ["", "x", "a:b:c", "%00", "%FF%FE", "%", "a%2Fb", quote("ключ"), "x" * 3000, ":::"])
async def test_a_key_that_is_none_is_404(client: httpx.AsyncClient, key: str) -> None:
    for rest in ("", "/observations", "/revisions"):
        await refused(client, f"/v2/series/{key}{rest}", status=404)


async def test_a_series_of_a_step_of_days_has_no_blocks(client: httpx.AsyncClient) -> None:
    problem = await refused(client, f"/v2/series/{GAS}/observations?block=ON_PEAK")
    assert field(problem) == ("block", "ON_PEAK")


async def test_a_series_of_no_market_needs_a_calendar(client: httpx.AsyncClient) -> None:
    assert "CALENDAR:ON_PEAK" in (await refused(client, f"/v2/series/{LONG}/observations?block=ON_PEAK"))["detail"]
    response = await client.get(f"/v2/series/{LONG}/observations?block=pjm:ON_PEAK&start=2020-01-01&end=2020-01-08")
    assert response.status_code == 200


@pytest.mark.parametrize("format_", ["json", "csv", "arrow"])
async def test_money_of_a_day_without_a_rate_names_pair_and_day(client: httpx.AsyncClient, format_: str) -> None:
    problem = await refused(client, f"/v2/series/{OLD_PRICE}/observations?currency=EUR&format={format_}")
    assert field(problem) == ("currency", "EUR")
    assert (problem["source"], problem["target"], problem["day"]) == ("USD", "EUR", "2001-07-04")


@pytest.mark.parametrize("format_", ["json", "csv", "arrow"])
async def test_units_that_do_not_convert_are_refused_before_the_first_byte(client: httpx.AsyncClient, format_: str) -> None:
    for url in (f"/v2/series/{LONG}/observations?", f"/v2/observations?series={LONG}&series={NYC}&"):
        problem = await refused(client, f"{url}unit=EUR/MWh&format={format_}")
        assert field(problem)[0] == "unit"


async def test_a_document_that_is_too_long_says_what_to_do_and_bulk_formats_are_not(client: httpx.AsyncClient) -> None:
    problem = await refused(client, f"/v2/series/{LONG}/observations")
    assert "narrow the span" in problem["detail"]
    bulk = await client.get(f"/v2/series/{LONG}/observations?format=csv")
    assert bulk.text.count("\n") == 70_001


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "series"),
        ("series=", "series"),
        ("series=,", "series"),
        (f"series={NYC},nyiso:damlbmp_zone:61762:lmp", "series"),
        ("series=%00", "series"),
        (f"series={NYC}&layout=tall", "layout"),
        (f"series={NYC}&series={HOUSTON}&tz=market", "tz"),
        (f"series={NYC}&series={TANK}&freq=5min", "freq"),
        (f"series={LOAD}&series={GAS}&block=ON_PEAK", "block"),
        ("series=" + "&series=".join(f"a:b:{i}:c" for i in range(6)), "series"),
        ("series=" + ",".join(f"a:b:{i}:c" for i in range(600)), "series"),
    ],
)
async def test_a_bad_query_about_several_series_is_refused(client: httpx.AsyncClient, query: str, name: str) -> None:
    assert field(await refused(client, f"/v2/observations?{query}"))[0] == name


async def test_an_unknown_series_in_a_query_is_422_with_the_nearest(client: httpx.AsyncClient) -> None:
    problem = await refused(client, f"/v2/observations?series={WEST}&series=nyiso:damlbmp_zone:61762:lmp")
    assert NYC in problem["nearest"]


@pytest.mark.parametrize("path", ["/v2/series", "/v2/catalog/locations", "/v2/catalog/quality/completeness"])
async def test_a_forged_cursor_is_refused(client: httpx.AsyncClient, path: str) -> None:
    for cursor in ("x", "AAAA", "A" * 64, "%C3%A9", "..", "é"):
        problem = await refused(client, f"{path}?cursor={cursor}")
        assert field(problem)[0] == "cursor"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=1001", "limit=99999999999999999999", "limit=ten", "limit=1.5", "limit=5&limit=6",
        "sorce=nyiso", "source=nyiso&source=ecb", "text=%00",
    ],
)  # fmt: skip
async def test_a_bad_list_query_is_refused(client: httpx.AsyncClient, query: str) -> None:
    problem = await refused(client, f"/v2/series?{query}")
    assert field(problem)[0] == query.partition("=")[0]


async def test_a_misspelt_filter_names_the_one_that_was_meant(client: httpx.AsyncClient) -> None:
    assert "source" in (await refused(client, "/v2/series?sorce=nyiso"))["nearest"]
    await refused(client, "/v2/catalog/sources?x=1")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/catalog/blocks/pjmm/ON_PEAK/hours?start=2025-01-01&end=2025-02-01", 404),
        ("/v2/catalog/blocks/pjm/ON_PEEK/hours?start=2025-01-01&end=2025-02-01", 404),
        ("/v2/catalog/blocks/pjm/ON_PEAK/hours?start=2025-02-01&end=2025-01-01", 422),
        ("/v2/catalog/blocks/pjm/ON_PEAK/hours?start=2025-02-01", 422),
        ("/v2/catalog/blocks/pjm/ON_PEAK/hours?start=0001-01-01&end=9999-12-31", 422),
        ("/v2/catalog/blocks/pjm/ON_PEAK/hours?start=0&end=2025-01-01", 422),
        ("/v2/catalog/quality/completeness?start=1700000000", 422),
        ("/v2/catalog/quality/completeness?start=2025-02-30", 422),
        ("/v2/nothing", 404),
        ("/problems/nothing", 404),
        ("/docs/assets/..%2f..%2fsecret", 404),
    ],
)
async def test_what_is_not_there_is_404_and_what_makes_no_sense_422(client: httpx.AsyncClient, path: str, status: int) -> None:
    await refused(client, path, status=status)


async def test_a_method_that_is_not_allowed_is_405_and_names_those_that_are(client: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        for path in ("/v2/series", OBSERVATIONS, "/v2/catalog/units", "/live", "/openapi.json", "/docs"):
            response = await client.request(method, path)
            assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD"), (method, path)
            assert response.json()["type"] == "/problems/method-not-allowed"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v2/jobs/queues", "GET, HEAD"),
        ("/v2/curves/sets/a", "GET, HEAD"),
        ("/v2/curves/sets/a:submit", "POST"),
        ("/v2/curves/derived/a:rebuild", "POST"),
    ],
)
async def test_the_methods_of_a_path_are_not_those_of_a_parameter_in_its_place(
    client: httpx.AsyncClient, path: str, allowed: str
) -> None:
    response = await client.options(path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)


async def test_no_acceptable_format_is_406_and_names_those_on_offer(client: httpx.AsyncClient) -> None:
    problem = await refused(client, OBSERVATIONS, status=406, accept="image/webp")
    assert "application/json" in problem["offered"]


@pytest.mark.parametrize("query", ["", "?currency=EUR", "?currency=EUR&format=csv", "?freq=1y&tz=market", "?block=ON_PEAK"])
async def test_spans_up_to_the_ends_of_the_calendar_are_spans(client: httpx.AsyncClient, query: str) -> None:
    url = OBSERVATIONS + query + ("&" if query else "?")
    whole = await client.get(OBSERVATIONS + query)
    for bounds in ("start=0001-01-01", "end=9999-12-31T23:59:59.999999Z", "start=0001-01-01&end=9999-12-31T23:59:59.999999Z"):
        response = await client.get(url + bounds)
        assert response.status_code == 200, response.text[:300]
        if "csv" in query:
            assert response.text == whole.text
        else:
            assert response.json()["data"] == whole.json()["data"] != []


@pytest.mark.parametrize("host", ["[", "[::1", "a b", "", "a:b:c", "\u00e9", "host:99999999"])
async def test_a_host_that_is_none_changes_no_answer(client: httpx.AsyncClient, host: str) -> None:
    headers = {"host": host.encode()}
    assert (await client.get("/v2/series?limit=1", headers=headers)).status_code == 200
    assert (await client.get(OBSERVATIONS + "?freq=x", headers=headers)).status_code == 422
    assert (await client.get("/v2/nothing", headers=headers)).json()["instance"] == "/v2/nothing"


async def test_every_clock_is_either_understood_in_every_format_or_refused(client: httpx.AsyncClient) -> None:
    names = sorted(available_timezones())
    assert len(names) > 400
    understood = 0
    for name in names:
        span = {"tz": name, "start": "2025-11-01T00:00:00Z", "end": "2025-11-01T03:00:00Z"}
        answers = [await client.get(OBSERVATIONS, params=span | more) for more in ({}, {"format": "arrow", "freq": "1d"})]
        assert len({answer.status_code for answer in answers}) == 1, name
        if answers[0].status_code == 200:
            understood += 1
            assert len(answers[0].json()["data"]) == 3
        else:
            assert field(answers[0].json()) == ("tz", name)
    assert understood > len(names) - 5
