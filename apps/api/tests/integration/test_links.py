"""Signed links: one read without a key, as its maker, for a limited time, and never logged with the signature."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from aurum.api.http.request_state import RequestState
from aurum.api.security.links import LinkVerifier, take_link
from aurum.api.testing import InMemory, MovableClock, Served, file_of, hourly, on_clock, serving
from aurum.common.settings import AccessSettings, LinksSettings, LoggingSettings, Settings, SpoolSettings
from aurum.common.settings.limits import LimitsSettings
from aurum.common.telemetry.logging import configure_logging
from aurum.core.access import Permission, Role
from aurum.core.links import LONGEST_S
from aurum.services.access import NewKey, change_tenant, create_key, create_tenant, revoke_key
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.changes import Change, ChangeKind

OPERATOR = Actor("operator")
KEY = "nyiso:damlbmp_zone:61761:lmp"
START = datetime(2025, 11, 3, tzinfo=UTC)
READ = f"/v2/observations?series={KEY}&format=csv"
UNKNOWN = "this link is unknown, or its address was changed"


@dataclass
class World:
    """A service that needs keys, over a store in memory, with two tenants."""

    store: MemoryStore
    opened: InMemory
    served: Served
    clock: MovableClock
    acme: str
    bolt: str

    @property
    def client(self) -> httpx.AsyncClient:
        return self.served.client

    async def key(self, tenant: str, *scopes: Permission) -> tuple[str, str]:
        """Return the id of a new key, and a header with it."""
        new = NewKey(tenant, "k", () if scopes else (Role.USER,), scopes)
        issued = await create_key(self.store.transactions, new, by=OPERATOR, now=self.clock.now())
        return issued.key.key_id, f"Bearer {issued.text}"

    async def make(self, query: str = READ, *, key: str | None = None, **body: object) -> httpx.Response:
        headers = {"authorization": key or self.acme}
        return await self.client.post("/v2/links", json={"query": query, **body}, headers=headers)

    async def path(self, query: str = READ, **body: object) -> str:
        response = await self.make(query, **body)
        assert response.status_code == 201, response.text
        return response.json()["data"]["path"]

    async def tell(self, kind: ChangeKind, *names: str) -> None:
        await self.opened.feed.publish(Change(kind, names))


@asynccontextmanager
async def world_of(folder: Path, **settings: object) -> AsyncGenerator[World]:
    clock = MovableClock(datetime(2026, 11, 29, 12, tzinfo=UTC))
    store = MemoryStore(clock)
    await store.loader.load(file_of(hourly(KEY, START, [30.0, 31.5, 33.25])))
    for tenant in ("acme", "bolt"):
        await create_tenant(store.transactions, tenant, tenant, "basic", by=OPERATOR)
    opened = InMemory(store)
    chosen = Settings.model_validate(
        {"access": AccessSettings(mode="required"), "spool": SpoolSettings(folder=folder / "spool"), **settings}
    )
    async with serving(chosen, on_clock(opened, clock)) as served:
        world = World(store, opened, served, clock, "", "")
        world.acme, world.bolt = (await world.key("acme"))[1], (await world.key("bolt"))[1]
        yield world


async def test_a_link_answers_its_read_without_a_key_and_in_parts(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        made = await world.make(expires_in=60)
        data = made.json()["data"]
        assert data["query"] == READ
        assert data["scopes"] == ["catalog:read", "curves:read", "ppa:read", "private:read", "scenarios:read", "series:read"]
        assert (data["created_at"], data["expires_at"]) == ("2026-11-29T12:00:00Z", "2026-11-29T12:01:00Z")
        assert data["path"].startswith(READ + "&link=")
        assert data["url"] == "http://aurum.test" + data["path"]
        with_key = await world.client.get(READ, headers={"authorization": world.acme})
        assert (await world.client.get(data["url"])).content == with_key.content
        assert (await world.client.head(data["path"])).headers["content-length"] == str(len(with_key.content))
        part = await world.client.get(data["path"], headers={"range": "bytes=-10"})
        assert (part.status_code, part.content) == (206, with_key.content[-10:])


async def test_a_reader_may_spell_the_address_in_its_own_way(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        path = await world.path(
            f"/v2/series/{KEY}/observations?format=csv&start=2025-11-03T00:00:00%2B00:00&tz=America/New_York"
        )
        for spelling in (path, path.replace(":", "%3A"), path.replace("/New_York", "%2FNew_York"), path.replace("%2B", "%2b")):
            assert (await world.client.get(spelling)).status_code == 200, spelling
        star = await world.path("/v2/catalog/datasets?source=ny*so")
        assert "*" not in star


async def test_an_altered_link_and_an_unknown_one_are_refused_alike(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        path, other = await world.path(), await world.path(f"/v2/series/{KEY}/observations?format=csv")
        link, signature = re.findall(r"link=(\w+)&signature=(.+)", path)[0]
        altered = [
            path[:-1] + ("A" if path[-1] != "A" else "B"),
            path + "x",
            path.replace(f"link={link}", "link=" + "0" * 32),
            path.replace(f"link={link}", "link=../../x"),
            path.replace(f"link={link}&", ""),
            path.replace(signature, ""),
            path.replace(signature, other.rpartition("=")[2]),
            path.replace("format=csv", "format=json"),
            path.replace("format=csv&", ""),
            path + "&tz=UTC",
            path + "&series=other:a:b:c",
            path.replace("/v2/observations", "/v2/movers"),
            path + f"&signature={signature}",
            path + f"&link={link}",
            path.replace("/v2/", "/v2//"),
            path.replace("?series", "?tz=UTC&series"),
            path.replace(signature, "%00" + signature),
        ]
        answers = [await world.client.get(address) for address in altered]
        for address, answer in zip(altered, answers, strict=True):
            assert (answer.status_code, UNKNOWN in answer.json()["detail"]) == (401, True), address
            assert signature not in answer.text
        assert len({answer.json()["detail"] for answer in answers}) == 1
        unsigned = await world.client.get(f"{READ}&link={link}")
        assert (unsigned.status_code, UNKNOWN in unsigned.text) == (401, False)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_link_changes_nothing(tmp_path: Path, method: str) -> None:
    async with world_of(tmp_path) as world:
        path = await world.path()
        assert (await world.client.request(method, path)).status_code == 401
        # The credential of the header does not count beside a link.
        assert (await world.client.request(method, path, headers={"authorization": world.acme})).status_code == 401


async def test_a_link_ends_when_it_expires(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        path = await world.path(expires_in=60)
        world.clock.at += timedelta(seconds=59.9)
        assert (await world.client.get(path)).status_code == 200
        world.clock.at += timedelta(seconds=0.1)
        expired = await world.client.get(path)
        assert (expired.status_code, "expired" in expired.json()["detail"]) == (410, True)
        assert (await world.client.head(path)).status_code == 410


async def test_a_link_ends_when_it_is_revoked_by_its_maker(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        path = await world.path()
        link = re.findall(r"link=(\w+)", path)[0]
        _, colleague = await world.key("acme")
        for stranger in (world.bolt, colleague):
            assert (await world.client.delete(f"/v2/links/{link}", headers={"authorization": stranger})).status_code == 404
            listed = await world.client.get("/v2/links", headers={"authorization": stranger})
            assert listed.json()["data"] == []
        assert (await world.client.get(path)).status_code == 200
        revoked = await world.client.delete(f"/v2/links/{link}", headers={"authorization": world.acme})
        assert (revoked.status_code, revoked.json()["data"]["revoked_at"] is not None) == (200, True)
        assert (await world.client.get(path)).status_code == 410
        assert (await world.client.delete(f"/v2/links/{link}", headers={"authorization": world.acme})).status_code == 200
        assert (await world.client.delete("/v2/links/x", headers={"authorization": world.acme})).status_code == 404


async def test_links_end_with_the_key_that_made_them_and_with_their_tenant(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        key_id, key = await world.key("acme")
        path, other = await world.path(key=key), await world.path(key=world.bolt)
        assert (await world.client.get(path)).status_code == 200
        await revoke_key(world.store.transactions, "acme", key_id, by=OPERATOR)
        await world.tell(ChangeKind.ACCESS)
        assert (await world.client.get(path)).status_code == 410
        assert (await world.client.get(other)).status_code == 200
        await change_tenant(world.store.transactions, "bolt", disabled=True, by=OPERATOR)
        await world.tell(ChangeKind.ACCESS)
        assert (await world.client.get(other)).status_code == 403


async def test_a_revocation_elsewhere_holds_here_once_the_feed_tells_of_it(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        path = await world.path()
        link = re.findall(r"link=(\w+)", path)[0]
        assert (await world.client.get(path)).status_code == 200
        async with world.store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            await tx.links.revoke(link)
        await world.tell(ChangeKind.LINKS, link)
        assert (await world.client.get(path)).status_code == 410


@pytest.mark.parametrize(
    "query",
    [
        "/v2/links",
        "/v2/links?limit=1",
        "/v2/changes/events",
        "/v2/changes/events?source=nyiso",
        "/v2/admin/keys",
        "/v2/admin/audit",
        "/v2/observations/query",
        "/v2/nothing",
        "/v2/",
        "/health",
        "/metrics",
        "/docs/",
        "/openapi.json",
        "/v1/curves",
        "/latest/observations?series=a",
        "//v2/observations",
        "v2/observations",
        "http://other.example/v2/observations?series=a",
        f"{READ}#fragment",
        f"{READ}&signature=x",
        f"{READ}&link=x",
        f"{READ} ",
        f"{READ}\n",
        f"{READ}\0",
        "/v2/%2e%2e/admin/keys",
        "x" * 20_000,
        "",
    ],
)
async def test_a_link_is_made_for_reads_of_data_only(tmp_path: Path, query: str) -> None:
    async with world_of(tmp_path) as world:
        refused = await world.make(query)
        assert refused.status_code == 422, refused.text
        assert "query" in refused.json()["detail"]
        listed = await world.client.get("/v2/links", headers={"authorization": world.acme})
        assert listed.json()["data"] == []


@pytest.mark.parametrize("seconds", [0, -1, LONGEST_S + 1, 10**30, "60", 1.5, None])
async def test_a_link_lasts_a_day_at_most(tmp_path: Path, seconds: object) -> None:
    async with world_of(tmp_path) as world:
        assert (await world.make(expires_in=LONGEST_S)).status_code == 201
        refused = await world.make(expires_in=seconds)
        assert refused.status_code == 422
        assert "expires_in" in refused.json()["detail"]


async def test_the_maker_must_be_allowed_to_read_what_it_links(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        _, key = await world.key("acme", Permission.SERIES_READ)
        assert (await world.make("/v2/catalog/sources", key=key)).status_code == 403
        made = await world.make(key=key)
        assert made.json()["data"]["scopes"] == ["series:read"]
        _, reader = await world.key("acme", Permission.CATALOG_READ)
        assert (await world.make(key=reader)).status_code == 403
        assert (await world.client.post("/v2/links", json={"query": READ})).status_code == 401


async def test_a_link_counts_against_the_limits_of_its_maker(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        path = await world.path()
        by_link = await world.client.get(path)
        by_key = await world.client.get(READ, headers={"authorization": world.acme})
        left = [int(answer.headers["ratelimit-remaining"]) for answer in (by_link, by_key)]
        assert left[0] - left[1] == 1


async def test_a_tenant_has_so_many_links_at_most(tmp_path: Path) -> None:
    async with world_of(tmp_path, links=LinksSettings(per_tenant=2)) as world:
        assert [(await world.make()).status_code for _ in range(3)] == [201, 201, 409]
        assert (await world.make(key=world.bolt)).status_code == 201


async def test_strangers_with_bad_links_are_limited_like_those_with_bad_keys(tmp_path: Path) -> None:
    async with world_of(tmp_path, limits=LimitsSettings(failures_per_minute=3)) as world:
        path = await world.path()
        statuses = [(await world.client.get(f"{path}{n}")).status_code for n in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        assert (await world.client.get(path)).status_code == 200


async def test_links_are_listed_in_pages_the_newest_first(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        made = []
        for _ in range(5):
            made.append((await world.make()).json()["data"]["link_id"])
            world.clock.at += timedelta(seconds=1)
        headers, listed, cursor = {"authorization": world.acme}, [], None
        while True:
            query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await world.client.get("/v2/links", params=query, headers=headers)).json()
            listed += page["data"]
            if (cursor := page["meta"]["next_cursor"]) is None:
                break
        assert [one["link_id"] for one in listed] == made[::-1]
        assert "signature" not in json.dumps(listed)


async def test_all_processes_sign_alike_and_another_secret_ends_all_links(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        path = await world.path()

        async def status(**settings: object) -> int:
            chosen = Settings.model_validate({"access": AccessSettings(mode="required"), **settings})
            async with serving(chosen, on_clock(world.opened, world.clock)) as served:
                return (await served.client.get(path)).status_code

        assert await status() == 200
        assert await status(links=LinksSettings.model_validate({"secret": "another secret of 32 characters!"})) == 401


async def test_an_open_service_makes_links_that_a_service_with_keys_refuses(tmp_path: Path) -> None:
    async with world_of(tmp_path, access=AccessSettings()) as world:
        made = await world.client.post("/v2/links", json={"query": READ})
        path = made.json()["data"]["path"]
        assert (await world.client.get(path)).status_code == 200
        assert (await world.client.get(path + "x")).status_code == 401
        required = Settings(access=AccessSettings(mode="required"))
        async with serving(required, on_clock(world.opened, world.clock)) as served:
            assert (await served.client.get(path)).status_code == 410


async def test_the_response_that_holds_the_address_is_not_stored_for_a_repetition(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        headers = {"authorization": world.acme, "idempotency-key": "once"}
        first = await world.client.post("/v2/links", json={"query": READ}, headers=headers)
        again = await world.client.post("/v2/links", json={"query": READ}, headers=headers)
        assert (first.status_code, again.status_code, "signature" in again.text) == (201, 409, False)


async def test_no_signature_is_logged_stored_or_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging(LoggingSettings(level="DEBUG", format="json"))
        async with world_of(tmp_path) as world:
            path = await world.path()
            link, signature = re.findall(r"link=(\w+)&signature=(.+)", path)[0]
            shown: list[str] = []
            for address in (
                path,
                path + "x",
                path.replace("csv", "xml"),
                path + "&tz=UTC",
                path.replace("/v2/obs", "/v2/none"),
            ):
                for accept in ("*/*", "text/html"):
                    for method in ("GET", "HEAD", "POST"):
                        answer = await world.client.request(method, address, headers={"accept": accept})
                        shown.append(answer.text + repr(answer.headers))
            world.clock.at += timedelta(days=2)
            shown.append((await world.client.get(path, headers={"accept": "text/html"})).text)
            stored = [repr(world.store.state.links), repr(world.store.state.audit), repr(world.store.state.secrets)]
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    served = [line for line in lines if line["event"] == "request" and line["path"] == "/v2/observations"]
    assert [line.get("link") for line in served if line["status"] == 200] == [link] * 4
    assert "link.create" in stored[1]
    for text in (json.dumps(lines), *shown, *stored):
        assert signature not in text
        assert signature[1:-1] not in text
    assert "'referrer-policy': 'no-referrer'" in shown[0]


def test_the_signature_leaves_the_address_before_anything_else_reads_it() -> None:
    for query, rest, link, signature in (
        (b"a=1&link=L&signature=S", b"a=1", "L", "S"),
        (b"signature=S&a=1&link=L&b=2", b"a=1&b=2", "L", "S"),
        (b"a=1&signature=S", b"a=1", "", "-"),
        (b"a=1&link=L&signature=", b"a=1", "", "-"),
        (b"link=L&signature=S&signature=T", b"", "", "-"),
        (b"link=L&link=M&signature=S", b"", "", "-"),
        (b"a=1&link=L", b"a=1&link=L", "", ""),
        (b"a=signature=S&link=L", b"a=signature=S&link=L", "", ""),
    ):
        scope = {"type": "http", "query_string": query}
        state = RequestState("id", 0.0, {})
        take_link(scope, state)
        assert (scope["query_string"], state.link, state.signature) == (rest, link, signature)
        assert "S" not in str(state.log_fields())


async def test_the_secret_is_made_once_and_is_long(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        verifier: LinkVerifier = world.served.state["links"]
        assert await verifier.secret() == await verifier.secret() == world.store.state.secrets["links"]
        assert len(await verifier.secret()) == 32
