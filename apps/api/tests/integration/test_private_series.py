"""Private series over HTTP: what one tenant declares, stores and reads, no other tenant can see or tell from nothing."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import pytest_asyncio

from aurum.api.testing import InMemory, Served, file_of, hourly, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, DatabaseSettings, PrivateSettings, Settings
from aurum.core.access import ROLES, Permission, Role
from aurum.core.api_keys import key_text
from aurum.services.access import create_tenant
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore, Store

OPERATOR = Actor("operator")
NOW = SystemClock().now
START = datetime(2025, 11, 2, 4, tzinfo=UTC)
SHARED = "nyiso:damlbmp_zone:61761:lmp"
KEY = "private:series:meter:value"
DECLARATION = {"unit": "MWh", "frequency": "1h", "zone": "America/New_York", "title": "East plant"}
METER = "/v2/private/series/meter"
OBSERVATIONS = f"/v2/series/{KEY}/observations"
REQUIRED = AccessSettings(mode="required")
PRIVATE = PrivateSettings(series=3, points=100, body_bytes=20_000)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore(SystemClock()) if request.param == "memory" else request.getfixturevalue("postgres_store")


class Desk:
    """A client with the key of one tenant."""

    def __init__(self, served: Served, key: str) -> None:
        self.client = served.client
        self.headers = {"authorization": f"Bearer {key}"}

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = self.headers | more.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, path: str, **params: str) -> httpx.Response:
        return await self.send("GET", path, params=params or None)

    async def declare(self, name: str = "meter", **changed: str) -> httpx.Response:
        return await self.send("PUT", f"/v2/private/series/{name}", json=DECLARATION | changed)

    async def put(self, *values: float, name: str = "meter", known_at: str | None = None) -> httpx.Response:
        rows = [
            {"start": (START + timedelta(hours=number)).isoformat(), "value": value, "known_at": known_at}
            for number, value in enumerate(values)
        ]
        return await self.send("PUT", f"/v2/private/series/{name}/observations", json={"data": rows})


class Desks:
    """A service with two tenants, and a key of each role for either."""

    def __init__(self, served: Served, keys: Mapping[tuple[str, str], str]) -> None:
        self.served = served
        self._keys = keys

    def of(self, tenant: str, role: str = "trader") -> Desk:
        return Desk(self.served, self._keys[tenant, role])


@pytest_asyncio.fixture(loop_scope="session")
async def desks(store: Store, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desks]:
    await store.loader.load(file_of(hourly(SHARED, START, [30.0, 31.0, 32.0])))
    keys: dict[tuple[str, str], str] = {}
    for number, tenant in enumerate(("acme", "bolt")):
        await create_tenant(store.transactions, tenant, tenant, "enterprise", by=OPERATOR)
        for role_number, role in enumerate(("user", "trader", "super_admin")):
            text, parts = key_text(bytes([number, role_number]) * 20)
            await insert_key(store.transactions, ApiKey(parts.key_id, tenant, role, (role,), (), NOW(), "test"), parts.digest)
            keys[tenant, role] = text
        text, parts = key_text(bytes([number, 9]) * 20)
        market = ApiKey(parts.key_id, tenant, "market", (), ("series:read", "catalog:read"), NOW(), "test")
        await insert_key(store.transactions, market, parts.digest)
        keys[tenant, "market"] = text
    if isinstance(store, MemoryStore):
        opening = serving(Settings(access=REQUIRED, private=PRIVATE, data_dir=tmp_path), InMemory(store))
    else:
        assert isinstance(store, PostgresStore)
        url = request.getfixturevalue("database_url")
        database = DatabaseSettings(url=url, pool_size=4, private_pool_size=2)
        opening = serving(Settings(access=REQUIRED, private=PRIVATE, database=database, data_dir=tmp_path))
    async with opening as served:
        yield Desks(served, keys)


def values(response: httpx.Response) -> list[float]:
    assert response.status_code == 200, response.text
    return [row["value"] for row in response.json()["data"]]


def anonymous(response: httpx.Response) -> tuple[int, Any, dict[str, str]]:
    """Return a response without what differs between any two requests."""
    document = response.json()
    del document["request_id"]
    passing = ("x-request-id", "ratelimit")
    return response.status_code, document, {n: one for n, one in response.headers.items() if not n.startswith(passing)}


async def test_a_tenant_declares_stores_and_reads(desks: Desks) -> None:
    acme = desks.of("acme")
    declared = await acme.declare()
    assert declared.status_code == 201
    document = declared.json()["data"]
    assert (document["name"], document["key"], document["unit"], document["first"]) == ("meter", KEY, "MWh", None)
    assert (await acme.declare()).status_code == 200
    assert (await acme.put(1.0, 2.0, 3.0)).json() == {"data": {"new": 3, "revised": 0, "unchanged": 0}}
    assert (await acme.put(1.0, 2.5)).json() == {"data": {"new": 0, "revised": 1, "unchanged": 1}}
    read = await acme.get(OBSERVATIONS, tz="market")
    assert values(read) == [1.0, 2.5, 3.0]
    assert read.json()["data"][0]["start"] == "2025-11-02T00:00:00-04:00"
    assert values(await acme.get(OBSERVATIONS, freq="1d", agg="sum", unit="kWh", tz="market")) == [6500.0]
    assert len(values(await acme.get(f"/v2/series/{KEY}/revisions"))) == 4
    described = (await acme.get(f"/v2/series/{KEY}")).json()["data"]
    assert (described["location_name"], described["unit"], described["source"]) == ("East plant", "MWh", "private")
    assert (await acme.get(METER)).json()["data"]["last"] == "2025-11-02T06:00:00Z"
    assert [one["name"] for one in (await acme.get("/v2/private/series")).json()["data"]] == ["meter"]
    assert (await acme.send("DELETE", METER)).status_code == 204
    assert (await acme.get(OBSERVATIONS)).status_code == 404
    assert (await acme.get("/v2/private/series")).json()["data"] == []


async def test_private_and_market_series_come_in_one_answer_in_every_format(desks: Desks) -> None:
    acme = desks.of("acme")
    await acme.declare()
    await acme.put(1.0, 2.0)
    expected = [(SHARED, 30.0), (SHARED, 31.0), (SHARED, 32.0), (KEY, 1.0), (KEY, 2.0)]
    both = f"{SHARED},{KEY}"
    document = (await acme.get("/v2/observations", series=both)).json()
    assert [(row["series"], row["value"]) for row in document["data"]] == expected
    for name, read in (
        ("csv", pl.read_csv),
        ("ndjson", pl.read_ndjson),
        ("arrow", pl.read_ipc_stream),
        ("parquet", pl.read_parquet),
    ):
        response = await acme.get("/v2/observations", series=both, format=name)
        assert response.headers["cache-control"] == "private, no-cache"
        frame = read(io.BytesIO(response.content))
        assert frame.select(pl.col("series").cast(pl.String), "value").rows() == expected
    wide = (await acme.get("/v2/observations", series=both, layout="wide")).json()["data"]
    assert [(row[SHARED], row[KEY]) for row in wide] == [(30.0, 1.0), (31.0, 2.0), (32.0, None)]
    queries = [{"id": "a", "series": [KEY]}, {"id": "b", "series": [SHARED]}, {"id": "c", "series": ["private:series:x:value"]}]
    batch = await acme.send("POST", "/v2/observations/query", json={"queries": queries})
    assert [one["status"] for one in batch.json()["data"]] == [200, 200, 422]
    assert batch.headers["cache-control"] == "private, no-cache"


async def test_another_tenants_series_cannot_be_told_from_one_that_does_not_exist(desks: Desks) -> None:
    acme, bolt = desks.of("acme"), desks.of("bolt")
    absent = "private:series:other:value"
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/v2/series/{key}/observations", {}),
        ("GET", "/v2/series/{key}/observations?format=csv", {}),
        ("GET", "/v2/series/{key}/revisions", {}),
        ("GET", "/v2/series/{key}/issues", {}),
        ("GET", "/v2/series/{key}", {}),
        ("GET", "/v2/observations?series={key}", {}),
        ("GET", "/v2/observations?series=" + SHARED + ",{key}&format=arrow", {}),
        ("POST", "/v2/observations/query", {"series": ["{key}"]}),
        ("GET", "/v2/private/series/{name}", {}),
        ("DELETE", "/v2/private/series/{name}", {}),
        ("PUT", "/v2/private/series/{name}/observations", {"data": [{"start": "2025-11-02", "value": 1}]}),
    ]

    async def answers(desk: Desk, key: str) -> list[Any]:
        name = key.split(":")[2]
        responses = [
            await desk.send(
                method,
                path.format(key=key, name=name),
                **({"content": str(body).replace("'", '"').replace("{key}", key)} if body else {}),
                headers={"content-type": "application/json"},
            )
            for method, path, body in requests
        ]
        return [str(anonymous(one)).replace(name, "NAME") for one in responses]

    before = await answers(bolt, KEY)
    await acme.declare()
    await acme.put(1.0)
    after = await answers(bolt, KEY)
    assert after == before
    assert await answers(bolt, absent) == before
    assert all(f"({status}," in text for text, status in zip(after, [404] * 5 + [422] * 3 + [404] * 3, strict=True))
    assert values(await acme.get(OBSERVATIONS)) == [1.0], "a refusal that bolt was sent is not sent to acme"


async def test_an_unknown_key_is_answered_with_the_nearest_ones_of_the_tenant_itself(desks: Desks) -> None:
    acme, bolt = desks.of("acme"), desks.of("bolt")
    await acme.declare("meter")
    await acme.declare("pump")
    await bolt.declare("typos")
    typo = "private:series:metre:value"
    for rest in ("", "/observations", "/latest", "/revisions"):
        for desk, nearest in ((acme, [KEY, "private:series:pump:value"]), (bolt, ["private:series:typos:value"])):
            refused = await desk.get(f"/v2/series/{typo}{rest}")
            assert (refused.status_code, refused.json()["nearest"]) == (404, nearest), rest
    for desk, nearest in ((acme, [KEY, "private:series:pump:value"]), (bolt, ["private:series:typos:value"])):
        refused = await desk.get("/v2/observations", series=typo)
        assert (refused.status_code, refused.json()["nearest"]) == (422, nearest)


async def test_two_tenants_use_one_name_and_see_their_own_values(desks: Desks) -> None:
    acme, bolt = desks.of("acme"), desks.of("bolt")
    for desk, value in ((acme, 1.0), (bolt, 2.0)):
        assert (await desk.declare()).status_code == 201
        assert (await desk.put(value)).json()["data"]["new"] == 1
    tags = set[str]()
    for _ in range(2):
        for desk, value in ((acme, 1.0), (bolt, 2.0)):
            response = await desk.get(OBSERVATIONS)
            assert values(response) == [value]
            tags.add(response.headers["etag"])
            assert values(await desk.get("/v2/observations", series=KEY)) == [value]
    assert len(tags) == 2
    assert (await acme.send("DELETE", METER)).status_code == 204
    assert values(await bolt.get(OBSERVATIONS)) == [2.0]


async def test_no_cache_between_two_tenants_holds_a_private_answer(desks: Desks) -> None:
    acme, bolt = desks.of("acme"), desks.of("bolt")
    await acme.declare()
    await acme.put(1.0, 2.0)
    paths = (OBSERVATIONS, f"/v2/series/{KEY}", f"/v2/observations?series={SHARED},{KEY}", f"/v2/series/{KEY}/revisions", METER)
    for path in paths:
        first = await acme.get(path)
        assert first.status_code == 200
        assert first.headers["cache-control"] == "private, no-cache"
        assert first.headers.get("x-cache") in (None, "miss")
        again = await acme.send("GET", path, headers={"if-none-match": first.headers.get("etag", "*x")})
        assert again.status_code == (304 if "etag" in first.headers else 200)
        assert again.headers.get("x-cache") in (None, "miss")
        for headers in ({}, {"if-none-match": first.headers.get("etag", '"x"')}, {"x-tenant-id": "bolt"}):
            assert (await bolt.send("GET", path, headers=headers)).status_code in (404, 422)
        forged = await bolt.send("GET", path, headers={"x-tenant-id": "acme"})
        assert forged.status_code == 403
        raced = await asyncio.gather(*(desk.get(path) for desk in (acme, bolt) * 4))
        assert [one.status_code == 200 for one in raced] == [True, False] * 4
    assert values(await bolt.get(f"/v2/series/{SHARED}/observations")) == [30.0, 31.0, 32.0]
    assert (await bolt.get(f"/v2/series/{SHARED}/observations")).headers["x-cache"] == "hit"


async def test_lists_counts_and_feeds_of_all_tenants_show_no_private_series(desks: Desks) -> None:
    acme, bolt = desks.of("acme", "super_admin"), desks.of("bolt", "super_admin")
    paths = (
        "/v2/series",
        "/v2/series?source=private",
        "/v2/series?text=meter",
        "/v2/catalog/sources",
        "/v2/catalog/datasets",
        "/v2/catalog/dimensions",
        "/v2/catalog/locations",
        "/v2/changes",
        "/v2/catalog/quality/files",
        "/v2/catalog/quality/completeness",
        "/v2/catalog/quality/quarantine",
    )

    async def documents(desk: Desk) -> list[Any]:
        responses = [await desk.get(path) for path in paths]
        assert {str(one.url): one.text for one in responses if one.status_code != 200} == {}
        return [one.json() for one in responses]

    before = await documents(bolt)
    await acme.declare()
    await acme.put(1.0, 2.0)
    await acme.put(1.5)
    assert await documents(bolt) == before
    assert await documents(acme) == before


async def test_scopes_separate_reading_and_writing(desks: Desks) -> None:
    trader, user, market = desks.of("acme"), desks.of("acme", "user"), desks.of("acme", "market")
    assert (await user.declare()).status_code == 403
    assert (await trader.declare()).status_code == 201
    await trader.put(1.0)
    assert (await user.put(1.0)).status_code == 403
    assert (await user.send("DELETE", METER)).status_code == 403
    assert values(await user.get(OBSERVATIONS)) == [1.0]
    for key in (KEY, "private:series:absent:value"):
        refused = await market.get(f"/v2/series/{key}/observations")
        assert refused.status_code == 403
        assert refused.json()["scope"] == "private:read"
    assert (await market.get("/v2/private/series")).status_code == 403
    query = {"queries": [{"id": "own", "series": [KEY]}, {"id": "market", "series": [SHARED]}]}
    batch = await market.send("POST", "/v2/observations/query", json=query)
    assert [one["status"] for one in batch.json()["data"]] == [403, 200]


async def test_a_different_declaration_is_a_conflict_with_the_way_out(desks: Desks) -> None:
    acme = desks.of("acme")
    await acme.declare()
    for field, value in (("unit", "kWh"), ("frequency", "15min"), ("zone", "UTC")):
        refused = await acme.declare(**{field: value})
        assert refused.status_code == 409
        assert "DELETE /v2/private/series/meter" in refused.json()["detail"]
        assert refused.json()["field"] == field
    renamed = await acme.declare(title="West plant")
    assert (renamed.status_code, renamed.json()["data"]["title"]) == (200, "West plant")


@pytest.mark.parametrize(
    "name", ["a%2Fb", "..%2F..%2Fadmin", "..", "%00", "a%20b", "%C3%A9", "n" * 101, "a:b", "a,b", ".hidden", "%E2%84%AA"]
)
async def test_a_hostile_name_is_refused_and_never_found(desks: Desks, name: str) -> None:
    acme = desks.of("acme")
    refused = await acme.declare(name)
    if "%2F" in name or name == "..":  # several segments of a path, or another path
        assert refused.status_code in (403, 404, 405)
    else:
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["field"] == "name"
    for method in ("GET", "DELETE"):
        assert (await acme.send(method, f"/v2/private/series/{name}")).status_code in (403, 404, 405)
    assert (await acme.put(1.0, name=name)).status_code in (403, 404, 405)
    assert (await acme.get("/v2/private/series")).json()["data"] == []


async def test_names_differ_by_case(desks: Desks) -> None:
    acme = desks.of("acme")
    await acme.declare("Meter")
    await acme.put(1.0, name="Meter")
    assert (await acme.get(OBSERVATIONS)).status_code == 404
    assert (await acme.declare()).status_code == 201
    assert values(await acme.get(OBSERVATIONS)) == []


async def test_points_come_as_csv_too(desks: Desks) -> None:
    acme = desks.of("acme")
    await acme.declare()
    text = "start,value,known_at\n2025-11-02T00:00,1.5,2025-11-03T09:00Z\n2025-11-02T05:00Z,2.5,\n"
    stored = await acme.send("PUT", f"{METER}/observations", content=text, headers={"content-type": "text/csv; charset=utf-8"})
    assert stored.json() == {"data": {"new": 2, "revised": 0, "unchanged": 0}}
    assert values(await acme.get(OBSERVATIONS, as_of="2025-11-04")) == [1.5]
    assert values(await acme.get(OBSERVATIONS)) == [1.5, 2.5]
    (issue,) = (await acme.get(f"/v2/series/{KEY}/issues")).json()["data"][-1:]
    assert issue["known_at"] == "2025-11-03T09:00:00Z"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"data": [{"start": "2025-11-02", "value": "1"}]}, "line 1: value"),
        ({"data": [{"start": "2025-11-02", "value": None}]}, "line 1: value"),
        ({"data": [{"start": "2025-11-02", "value": True}]}, "line 1: value"),
        ({"data": [{"start": "2025-11-02", "value": 1}, {"start": 5, "value": 1}]}, "line 2: start"),
        ({"data": [{"start": "2025-11-02", "value": 1, "unit": "kWh"}]}, "line 1: unit"),
        ({"data": [{"start": "2025-11-02", "value": 1}, {"start": "2025-11-02T04:00Z", "value": 2}]}, "line 2: start"),
        ({"data": [{"start": "2025-11-02", "value": 1, "known_at": "2999-01-01"}]}, "line 1: known_at"),
        ({"data": [7]}, "line 1: row"),
        ({"data": 7}, "data"),
        ([{"start": "2025-11-02", "value": 1}], "body"),
        ({}, "data"),
    ],
)
async def test_bad_rows_of_a_body_refuse_it_whole_and_are_named(desks: Desks, body: Any, why: str) -> None:
    acme = desks.of("acme")
    await acme.declare()
    refused = await acme.send("PUT", f"{METER}/observations", json=body)
    assert refused.status_code == 422
    assert any(error["field"] == why for error in refused.json()["errors"]), refused.text
    assert values(await acme.get(OBSERVATIONS)) == []


async def test_bodies_and_numbers_are_bounded(desks: Desks) -> None:
    acme = desks.of("acme")
    await acme.declare()
    assert (await acme.put(*([1.0] * 101))).status_code == 422
    large = await acme.send("PUT", f"{METER}/observations", content=b" " * 20_001, headers={"content-type": "text/csv"})
    assert large.status_code == 413
    other = await acme.send("PUT", f"{METER}/observations", content=b"x", headers={"content-type": "application/xml"})
    assert other.status_code == 422
    assert (await acme.declare("second")).status_code == 201
    assert (await acme.declare("third")).status_code == 201
    refused = await acme.declare("fourth")
    assert (refused.status_code, refused.json()["limit"]) == (409, 3)


async def test_patterns_and_filters_reach_the_own_private_series_only(desks: Desks) -> None:
    for tenant, value in (("acme", 1.0), ("bolt", 9.0)):
        await desks.of(tenant).declare()
        await desks.of(tenant).put(value)
    acme, market = desks.of("acme"), desks.of("acme", "market")
    for params in ({"source": "private"}, {"series": "private:*"}, {"series": "private:series:*:value", "order": "desc"}):
        assert values(await acme.get("/v2/observations", **params)) == [1.0]
        assert (await market.get("/v2/observations", **params)).status_code == 403
    assert values(await acme.get(f"/v2/series/{KEY}/latest")) == [1.0]
    assert values(await acme.get("/v2/observations/latest", series=f"{SHARED},{KEY}")) == [32.0, 1.0]
    everything = (await acme.get("/v2/observations", series="*")).json()["data"]
    assert {row["series"] for row in everything} == {SHARED}
    nothing = await acme.get("/v2/observations", series="private:series:x*:value")
    assert (nothing.status_code, nothing.json()["nearest"]) == (422, [KEY])


async def test_a_file_of_parts_holds_the_values_of_its_own_tenant(desks: Desks) -> None:
    for tenant, value in (("acme", 1.0), ("bolt", 9.0)):
        await desks.of(tenant).declare()
        await desks.of(tenant).put(value)
    address = f"{OBSERVATIONS}?format=parquet"
    for tenant, value in (("acme", 1.0), ("bolt", 9.0), ("acme", 1.0)):
        desk = desks.of(tenant)
        head = await desk.send("HEAD", address)
        length = int(head.headers["content-length"])
        assert head.headers["cache-control"] == "private, no-cache"
        parts = [await desk.send("GET", address, headers={"range": each}) for each in ("bytes=0-99", "bytes=100-")]
        content = b"".join(part.content for part in parts)
        assert len(content) == length
        assert pl.read_parquet(io.BytesIO(content))["value"].to_list() == [value]


async def test_a_credential_that_loses_its_scope_gets_no_part_of_a_file_that_it_has_read(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, address = desks.of("acme"), f"{OBSERVATIONS}?format=csv"
    await acme.declare()
    await acme.put(1.0)
    part = {"range": "bytes=0-9"}
    assert (await acme.send("GET", address, headers=part)).status_code == 206
    with monkeypatch.context() as patch:
        patch.setitem(ROLES, Role.TRADER, ROLES[Role.TRADER] - {Permission.PRIVATE_READ})
        desks.served.state["authenticator"].changed(Change(ChangeKind.ACCESS))
        for method, headers in (("GET", part), ("HEAD", {}), ("GET", {}), ("GET", {"if-match": "*"})):
            assert (await acme.send(method, address, headers=headers)).status_code == 403
    desks.served.state["authenticator"].changed(Change(ChangeKind.ACCESS))
    assert (await acme.send("GET", address, headers=part)).status_code == 206


async def test_a_link_to_a_private_series_answers_for_its_maker(desks: Desks) -> None:
    for tenant, value in (("acme", 1.0), ("bolt", 9.0)):
        await desks.of(tenant).declare()
        await desks.of(tenant).put(value)
    made = await desks.of("acme").send("POST", "/v2/links", json={"query": f"{OBSERVATIONS}?limit=1", "expires_in": 60})
    assert made.status_code == 201, made.text
    path = made.json()["data"]["path"]
    assert values(await desks.served.client.get(path)) == [1.0]
    assert values(await desks.of("bolt").get(OBSERVATIONS)) == [9.0]
    assert (await desks.of("bolt").get("/v2/links")).json()["data"] == []
    without_scope = await desks.of("acme", "market").send("POST", "/v2/links", json={"query": OBSERVATIONS, "expires_in": 60})
    assert (await desks.served.client.get(without_scope.json()["data"]["path"])).status_code == 403


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("start,value,known_at\n2025-11-02T05:00Z,3\n", "row 2 has 2 cells, and line 1 names 3 columns"),
        ("start,value\n2025-11-02T05:00Z,3\n2025-11-02T06:00Z,3,4\n", "row 3 has 3 cells"),
    ],
)
async def test_a_ragged_table_names_its_row(desks: Desks, text: str, says: str) -> None:
    await desks.of("acme").declare()
    headers = {"content-type": "text/csv"}
    response = await desks.of("acme").send("PUT", f"{METER}/observations", content=text, headers=headers)
    assert response.status_code == 422
    assert says in response.json()["detail"]


async def test_a_removed_series_is_not_served_from_a_file_either(desks: Desks) -> None:
    for tenant, value in (("acme", 1.0), ("bolt", 9.0)):
        await desks.of(tenant).declare()
        await desks.of(tenant).put(value)
    address, part = f"{OBSERVATIONS}?format=csv", {"range": "bytes=0-9"}
    for tenant in ("acme", "bolt"):
        assert (await desks.of(tenant).send("GET", address, headers=part)).status_code == 206
    assert (await desks.of("acme").send("DELETE", METER)).status_code == 204
    for headers in (part, {}):
        assert (await desks.of("acme").send("GET", address, headers=headers)).status_code == 404
    assert (await desks.of("bolt").send("GET", address, headers=part)).status_code == 206
