"""Questions in the body of a POST."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from api_market import HOUSTON, LONG, NYC, WEST

from aurum.api.testing import serving
from aurum.common.settings import DatabaseSettings, RedisSettings, Settings
from aurum.common.settings.limits import LimitsSettings

pytestmark = pytest.mark.needs_postgres

QUERY = "/v2/observations/query"
DAY = {"start": "2025-11-02", "end": "2025-11-03", "tz": "market"}


async def test_a_question_in_the_body_is_answered_as_in_the_url(client: httpx.AsyncClient) -> None:
    question: dict[str, Any] = {"series": [NYC, WEST], **DAY}
    posted = await client.post(QUERY, json=question)
    got = await client.get("/v2/observations", params=question)
    assert posted.status_code == 200
    assert posted.json() == got.json()
    assert len(posted.json()["data"]) == 25


@pytest.mark.parametrize("format", ["csv", "ndjson", "arrow", "parquet"])
async def test_every_format_is_given(client: httpx.AsyncClient, format: str) -> None:
    question: dict[str, Any] = {"series": [NYC], **DAY, "format": format}
    posted = await client.post(QUERY, json=question)
    got = await client.get("/v2/observations", params=question)
    assert posted.headers["content-type"] == got.headers["content-type"]
    assert posted.content == got.content or format == "parquet", "Parquet files bear an id of their own"


async def test_several_questions_are_answered_side_by_side(client: httpx.AsyncClient) -> None:
    questions = [
        {"id": "hours", "series": [NYC], **DAY},
        {"id": "days", "series": [WEST, HOUSTON], "freq": "1d", "layout": "wide"},
        {"id": "wrong", "series": ["a:b:c:d"]},
    ]
    answered = (await client.post(QUERY, json={"queries": questions})).json()["data"]
    assert [(one["id"], one["status"]) for one in answered] == [("hours", 200), ("days", 200), ("wrong", 422)]
    alone = await client.get("/v2/observations", params={"series": [WEST, HOUSTON], "freq": "1d", "layout": "wide"})
    assert answered[1]["answer"] == alone.json()
    assert answered[2]["answer"]["errors"][0]["field"] == "series"


async def test_several_questions_may_ask_for_as_much_as_one_may(client: httpx.AsyncClient) -> None:
    # The service of these tests writes 2,000 observations in one document.
    year = {"series": [LONG], "start": "2020-01-01", "end": "2020-03-01"}
    alone = await client.post(QUERY, json=year)
    assert alone.status_code == 200
    assert 1_000 < len(alone.json()["data"]) < 2_000
    questions = [{"id": str(number), **year} for number in range(5)]
    answered = (await client.post(QUERY, json={"queries": questions})).json()["data"]
    assert sorted(one["status"] for one in answered) == [200, 422, 422, 422, 422]
    refused = next(one["answer"] for one in answered if one["status"] == 422)
    assert "send it in a request of its own" in refused["detail"]
    days = [{"id": str(number), **year, "freq": "1d"} for number in range(20)]
    assert {one["status"] for one in (await client.post(QUERY, json={"queries": days})).json()["data"]} == {200}


async def test_several_questions_may_span_as_much_as_one_may(market_url: str) -> None:
    settings = Settings(
        database=DatabaseSettings(url=market_url, pool_size=2), limits=LimitsSettings(points=110), redis=RedisSettings()
    )
    questions = [{"id": str(number), "series": [NYC], **DAY} for number in range(9)]
    async with serving(settings) as served:
        answered = (await served.client.post(QUERY, json={"queries": questions})).json()["data"]
    assert sorted(one["status"] for one in answered) == [200] * 4 + [422] * 5


async def test_a_question_that_is_sent_is_answered_whatever_tag_comes_with_it(client: httpx.AsyncClient) -> None:
    for body in ({"queries": [{"id": "a", "series": [NYC], **DAY}]}, {"series": [NYC], **DAY}):
        answered = await client.post(QUERY, json=body, headers={"if-none-match": "*"})
        assert answered.status_code == 200
        assert answered.json()["data"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"series": []}, "series"),
        ({"series": [NYC], "freq": "3h"}, "freq"),
        ({"series": [NYC], "sort": "up"}, "sort"),
        ({"queries": [{"id": "a", "series": [NYC]}, {"id": "a", "series": [NYC]}]}, "queries"),
        ({"queries": [{"id": "a", "series": [NYC], "format": "csv"}, {"id": "b", "series": [NYC]}]}, "format"),
        ({"queries": []}, "queries"),
        ({}, "series"),
        ({"queries": [{"id": "a", "series": [NYC]}], "series": [NYC]}, "series"),
        ([], "body"),
    ],
)
async def test_a_bad_question_is_refused_and_names_the_field(client: httpx.AsyncClient, body: object, field: str) -> None:
    response = await client.post(QUERY, json=body)
    assert response.status_code == 422
    assert any(field in error["field"] for error in response.json()["errors"])
