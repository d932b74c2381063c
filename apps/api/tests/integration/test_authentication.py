"""Who is let in, and to what: keys, tokens, tenants, scopes, over a real store and a real issuer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
from api_issuer import AUDIENCE, Issuer, issuing
from cryptography.hazmat.primitives import serialization
from moved_time import MovedTime

from aurum.api.testing import Served, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, DatabaseSettings, Settings
from aurum.common.settings.limits import LimitsSettings
from aurum.core.api_keys import key_text
from aurum.services.access import change_tenant, create_tenant, revoke_key
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

OPERATOR = Actor("operator")
NOW = SystemClock().now
NUMBERS = iter(range(1, 1_000))


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        running.add("first")
        running.add("curve", kind="ES256")
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def store(postgres_store: PostgresStore) -> PostgresStore:
    for tenant in ("acme", "bolt"):
        await create_tenant(postgres_store.transactions, tenant, tenant, "basic", by=OPERATOR)
    return postgres_store


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(database_url: str, store: PostgresStore, issuer: Issuer) -> AsyncIterator[Served]:
    access = AccessSettings(
        mode="required", issuer=issuer.url, audience=AUDIENCE, roles_claim="realm_access.roles", leeway_s=5, jwks_ttl_s=300
    )
    async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=4), access=access)) as served:
        yield served


async def make_key(store: PostgresStore, *roles: str, tenant: str = "acme", ends: datetime | None = None) -> tuple[str, str]:
    text, parts = key_text(next(NUMBERS).to_bytes(8, "big") + bytes(32))
    key = ApiKey(parts.key_id, tenant, "test", roles, (), NOW(), "test", ends)
    await insert_key(store.transactions, key, parts.digest)
    return text, parts.key_id


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


async def status(served: Served, credential: str, path: str = "/v2/series", **headers: str) -> int:
    return (await served.client.get(path, headers=bearer(credential) | headers)).status_code


async def answers(served: Served, credential: str, expected: int) -> bool:
    return await status(served, credential) == expected


async def test_a_key_lets_in_by_either_header_and_nothing_lets_in_nobody(guarded: Served, store: PostgresStore) -> None:
    text, _ = await make_key(store, "user")
    assert await status(guarded, text) == 200
    assert (await guarded.client.get("/v2/series", headers={"x-api-key": text})).status_code == 200
    anonymous = await guarded.client.get("/v2/series")
    assert (anonymous.status_code, anonymous.json()["type"]) == (401, "/problems/unauthenticated")
    assert anonymous.headers["www-authenticate"].startswith("Bearer")
    for path in ("/live", "/ready", "/docs", "/openapi.json", "/problems/not-found"):
        assert (await guarded.client.get(path)).status_code == 200, path
    assert (await guarded.client.get("/v2/nothing/at/all")).status_code == 401, "strangers learn of no path"


@pytest.mark.parametrize(
    "sent", ["Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer ", "Bearer aurum_1_2", "x" * 5_000, "Bearer é"]
)
async def test_what_is_no_credential_is_401(guarded: Served, sent: str) -> None:
    response = await guarded.client.get("/v2/series", headers={"authorization": sent.encode("latin-1")})
    assert response.status_code == 401


async def test_a_secret_that_is_wrong_is_refused_as_an_unknown_key_is(guarded: Served, store: PostgresStore) -> None:
    _, key_id = await make_key(store, "user")
    other, _ = key_text(bytes.fromhex(key_id) + b"\1" * 32)
    stranger, _ = key_text(b"\xff" * 40)
    refused = [await guarded.client.get("/v2/series", headers=bearer(one)) for one in (other, stranger)]
    assert [one.status_code for one in refused] == [401, 401]
    assert len({one.json()["detail"] for one in refused}) == 1


async def test_a_key_ends_when_it_expires(guarded: Served, store: PostgresStore) -> None:
    ends = NOW() + timedelta(seconds=3)
    text, _ = await make_key(store, "user", ends=ends)
    assert await status(guarded, text) == 200 or NOW() >= ends
    await wait_until(lambda: answers(guarded, text, 401))
    assert NOW() >= ends


async def test_a_revoked_key_is_refused_soon(guarded: Served, store: PostgresStore) -> None:
    text, key_id = await make_key(store, "user")
    assert await status(guarded, text) == 200
    await revoke_key(store.transactions, "acme", key_id, by=OPERATOR)
    await wait_until(lambda: answers(guarded, text, 401))


async def test_a_disabled_tenant_is_refused_and_let_in_again(guarded: Served, store: PostgresStore) -> None:
    text, _ = await make_key(store, "user")
    assert await status(guarded, text) == 200
    for disabled, expected in ((True, 403), (False, 200)):
        await change_tenant(store.transactions, "acme", disabled=disabled, by=OPERATOR)
        await wait_until(partial(answers, guarded, text, expected))


async def test_what_a_role_does_not_grant_is_403_and_names_the_scope(guarded: Served, store: PostgresStore) -> None:
    user, _ = await make_key(store, "user")
    admin, _ = await make_key(store, "admin")
    root, _ = await make_key(store, "super_admin")
    unknown, _ = await make_key(store, "superadmin", "Admin", "user-admin")
    refused = await guarded.client.get("/v2/admin/cache", headers=bearer(user))
    assert (refused.status_code, refused.json()["scope"]) == (403, "admin:read")
    assert await status(guarded, admin, "/v2/admin/cache") == 200
    assert await status(guarded, admin, "/v2/admin/tenants") == 403
    assert await status(guarded, root, "/v2/admin/tenants") == 200
    assert await status(guarded, unknown) == 403, "roles are exact names, never likenesses"
    forget = {"tags": ["source:pjm"]}
    assert (await guarded.client.post("/v2/admin/cache/forget", json=forget, headers=bearer(admin))).status_code == 403
    assert (await guarded.client.post("/v2/admin/cache/forget", json=forget, headers=bearer(root))).status_code == 200


async def test_a_header_may_name_the_credentials_own_tenant_and_no_other(guarded: Served, store: PostgresStore) -> None:
    text, _ = await make_key(store, "super_admin")
    for header in ("x-tenant-id", "x-aurum-tenant"):
        assert await status(guarded, text, **{header: "acme"}) == 200
        assert await status(guarded, text, **{header: "bolt"}) == 403
    assert await status(guarded, text, **{"x-tenant-id": "acme", "x-aurum-tenant": "bolt"}) == 403


async def test_a_revoked_key_cannot_come_back_by_rotation(guarded: Served, store: PostgresStore) -> None:
    root, _ = await make_key(store, "super_admin")
    _, key_id = await make_key(store, "user")
    assert (await guarded.client.post(f"/v2/admin/keys/{key_id}/revoke", headers=bearer(root))).status_code == 200
    answer = await guarded.client.post(f"/v2/admin/keys/{key_id}/rotate", json={}, headers=bearer(root))
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        f"the key '{key_id}' has expired or was revoked: make a new one",
    )


async def test_keys_are_made_rotated_and_ended_over_http(guarded: Served, store: PostgresStore) -> None:
    root, _ = await make_key(store, "super_admin")
    client = guarded.client
    made = (await client.post("/v2/admin/keys", json={"name": "job", "roles": ["analyst"]}, headers=bearer(root))).json()[
        "data"
    ]
    assert made["tenant"] == "acme"
    assert await status(guarded, made["key"]) == 200
    url = f"/v2/admin/keys/{made['key_id']}"
    assert "key" not in (await client.get(url, headers=bearer(root))).json()["data"]
    new = (await client.post(f"{url}/rotate", json={"grace_hours": 0}, headers=bearer(root))).json()["data"]
    assert (new["replaces"], new["roles"]) == (made["key_id"], ["analyst"])
    assert await status(guarded, new["key"]) == 200
    await wait_until(lambda: answers(guarded, made["key"], 401))
    listed = (await client.get("/v2/admin/keys", headers=bearer(root))).json()["data"]
    assert {made["key_id"], new["key_id"]} <= {one["key_id"] for one in listed}
    await client.post(f"/v2/admin/keys/{new['key_id']}/revoke", headers=bearer(root))
    record = (await client.get("/v2/admin/audit", headers=bearer(root))).json()["data"]
    assert [entry["action"] for entry in record[:3]] == ["key.revoke", "key.rotate", "key.create"]
    assert all(entry["request_id"] for entry in record[:3])


async def test_the_person_of_a_key_is_its_owner(guarded: Served, store: PostgresStore) -> None:
    root, _ = await make_key(store, "super_admin")
    client = guarded.client
    body = {"name": "desk", "roles": ["approver"], "owner": "Anna Smith"}
    made = (await client.post("/v2/admin/keys", json=body, headers=bearer(root))).json()["data"]
    assert made["owner"] == "Anna Smith"
    listed = (await client.get("/v2/admin/keys", headers=bearer(root))).json()["data"]
    assert {one["key_id"]: one["owner"] for one in listed}[made["key_id"]] == "Anna Smith"
    assert (await client.get("/v2/me", headers=bearer(made["key"]))).json()["data"]["person"] == "owner:Anna Smith"
    assert (await client.get("/v2/me", headers=bearer(root))).json()["data"]["person"] is None
    for owner in ("", "  ", "x" * 201, 7):
        refused = await client.post("/v2/admin/keys", json=body | {"owner": owner}, headers=bearer(root))
        assert refused.status_code == 422, owner
        assert "owner" in refused.text


async def test_a_key_without_an_owner_gets_one_for_ever(guarded: Served, store: PostgresStore) -> None:
    root, _ = await make_key(store, "super_admin")
    text, key_id = await make_key(store, "approver")
    _, other = await make_key(store, "user", tenant="bolt")
    client = guarded.client

    async def put(owner: object, key: str = key_id, by: str = root, tenant: str = "acme") -> httpx.Response:
        url = f"/v2/admin/keys/{key}/owner?tenant={tenant}"
        return await client.put(url, json={"owner": owner}, headers=bearer(by))

    async def person() -> str | None:
        return (await client.get("/v2/me", headers=bearer(text))).json()["data"]["person"]

    assert await person() is None
    for owner in ("", "  ", "--", "x" * 201, 7, None):
        assert (await put(owner)).status_code == 422, owner
    named = await put(" Anna  Smith ")
    assert (named.status_code, named.json()["data"]["owner"]) == (200, "Anna Smith")

    async def known() -> bool:
        return await person() == "owner:Anna Smith"

    await wait_until(known)
    assert (await put("Anna Smith")).status_code == 200
    refused = await put("Bert Jones")
    assert (refused.status_code, refused.json()["owner"]) == (409, "Anna Smith")
    assert "the owner of a key never changes" in refused.json()["detail"]
    assert (await put("Anna", other)).status_code == 404
    assert (await put("Anna", other, tenant="bolt")).status_code == 200
    admin, _ = await make_key(store, "admin")
    missing = await put("Anna", by=admin)
    assert (missing.status_code, missing.json()["scope"]) == (403, "admin:write")
    record = (await client.get("/v2/admin/audit?action=key.owner", headers=bearer(root))).json()["data"]
    assert [(entry["target"], entry["detail"]) for entry in record if entry["tenant"] == "acme"] == [
        (key_id, {"owner": "Anna Smith"})
    ]


async def test_nobody_grants_what_they_may_not_do_or_reaches_other_tenants(guarded: Served, store: PostgresStore) -> None:
    _, other = await make_key(store, "user", tenant="bolt")
    text, parts = key_text(b"\7" * 40)
    key = ApiKey(parts.key_id, "acme", "writer", ("admin",), ("admin:write",), NOW(), "test")
    await insert_key(store.transactions, key, parts.digest)
    client = guarded.client
    too_much = await client.post("/v2/admin/keys", json={"name": "x", "roles": ["super_admin"]}, headers=bearer(text))
    assert (too_much.status_code, too_much.json()["scopes"]) == (403, ["curves:approve", "tenant:manage"])
    assert (await client.get("/v2/admin/keys?tenant=bolt", headers=bearer(text))).status_code == 403
    assert (await client.get(f"/v2/admin/keys/{other}", headers=bearer(text))).status_code == 404
    assert (await client.post(f"/v2/admin/keys/{other}/revoke", headers=bearer(text))).status_code == 404
    assert {entry["tenant"] for entry in (await client.get("/v2/admin/audit", headers=bearer(text))).json()["data"]} <= {"acme"}


async def test_who_asks_how_often_is_told_of_ones_own_tenant(guarded: Served, store: PostgresStore) -> None:
    admin, _ = await make_key(store, "admin")
    other, _ = await make_key(store, "user", tenant="bolt")
    root, _ = await make_key(store, "super_admin")
    assert await status(guarded, other) == 200

    async def tenants(credential: str) -> set[str]:
        answer = await guarded.client.get("/v2/admin/limits?limit=1000", headers=bearer(credential))
        return {one["tenant"] for one in answer.json()["data"]["callers"]}

    assert await tenants(admin) == {"acme"}
    assert {"acme", "bolt"} <= await tenants(root)
    refused = await guarded.client.get("/v2/admin/limits?tenant=bolt", headers=bearer(admin))
    assert (refused.status_code, refused.json()["scope"]) == (403, "tenant:manage")


async def test_an_admin_of_a_tenant_changes_nothing_that_others_share(guarded: Served, store: PostgresStore) -> None:
    admin, _ = await make_key(store, "admin")
    root, _ = await make_key(store, "super_admin")
    client, mine = guarded.client, bearer(admin)
    limits = {"per_minute": 2, "per_hour": 3, "per_day": 4, "burst": 1.0, "at_once": 1}

    plan = await client.put("/v2/admin/plans/free", json=limits, headers=mine)
    assert (plan.status_code, plan.json()["scope"]) == (403, "tenant:manage")
    assert (await client.patch("/v2/admin/tenants/bolt", json={"plan": "free"}, headers=mine)).status_code == 403
    assert (await client.post("/v2/admin/cache/forget", json={"tags": ["catalog"]}, headers=mine)).status_code == 403
    assert (await client.get("/v2/admin/jobs/parked", headers=mine)).status_code == 403

    def flag(*tenants: str, default: str = "off") -> dict[str, Any]:
        rules = [{"conditions": [{"attribute": "tenant", "operator": "eq", "value": one}], "variant": "on"} for one in tenants]
        return {"default_variant": default, "rules": rules}

    path = "/v2/admin/flags/new-thing"
    assert (await client.put(path, json=flag("acme"), headers=mine)).status_code == 403
    assert (await client.put(path, json=flag("bolt"), headers=bearer(root))).status_code == 200
    assert (await client.put(path, json=flag("acme", "bolt"), headers=mine)).status_code == 200
    refused = await client.put(path, json=flag("acme"), headers=mine)
    assert (refused.status_code, refused.json()["scope"]) == (403, "tenant:manage")
    assert "tenant is 'acme'" in refused.json()["detail"]
    assert (await client.put(path, json=flag("acme", "bolt", default="on"), headers=mine)).status_code == 403
    assert (await client.post(f"{path}/kill", headers=mine)).status_code == 403
    assert (await client.delete(path, headers=mine)).status_code == 403
    stored = (await client.get(path, headers=mine)).json()["data"]["flag"]
    assert [rule["conditions"][0]["value"] for rule in stored["rules"]] == ["acme", "bolt"]


@pytest.mark.parametrize("key_id", ["first", "curve"])
async def test_a_token_of_the_issuer_lets_in(guarded: Served, issuer: Issuer, key_id: str) -> None:
    assert await status(guarded, issuer.token(key_id)) == 200
    assert await status(guarded, issuer.token(key_id, roles=("admin",)), "/v2/admin/cache") == 200
    assert await status(guarded, issuer.token(key_id), "/v2/admin/cache") == 403


PAST = NOW() - timedelta(minutes=5)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": PAST},
        {"exp": None},
        {"nbf": NOW() + timedelta(days=1)},
        {"iat": None},
        {"aud": "others"},
        {"aud": None},
        {"iss": "http://elsewhere"},
        {"sub": None},
        {"tenant": None},
        {"tenant": "nobody-we-know"},
        {"tenant": 7},
        {"tenant": "acme\x00"},
        {"tenant": "\ud800"},
    ],
)
async def test_a_token_that_says_the_wrong_things_is_401(guarded: Served, issuer: Issuer, claims: dict[str, Any]) -> None:
    assert await status(guarded, issuer.token("first", **claims)) == 401


DEEP = b"[" * 100_000


@pytest.mark.parametrize("name", ["head", "claims", "both"])
@pytest.mark.parametrize("content", [DEEP, b'{"a":' * 100_000, b"[]", b"1", b"null", b'"text"', b"\xff", b'{"alg": ["RS256"]}'])
async def test_a_token_of_any_bytes_is_401(guarded: Served, issuer: Issuer, name: str, content: bytes) -> None:
    head, claims, signature = issuer.token("first").split(".")
    encoded = jwt.utils.base64url_encode(content).decode()
    head, claims = (encoded if name != "claims" else head), (encoded if name != "head" else claims)
    assert await status(guarded, f"{head}.{claims}.{signature}") == 401


@pytest.mark.parametrize("content", [DEEP, b'{"exp": 1e999}', b"[]"], ids=["deep", "endless", "a list"])
async def test_claims_of_any_bytes_are_401_also_when_they_are_signed(guarded: Served, issuer: Issuer, content: bytes) -> None:
    _, key = issuer.keys["first"]
    assert await status(guarded, jwt.api_jws.encode(content, key, "RS256", {"kid": "first"})) == 401


@pytest.mark.parametrize("kind", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"use": "enc", "key_ops": ["verify"]}])
async def test_a_key_for_encryption_verifies_nothing(
    database_url: str, store: PostgresStore, kind: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with issuing() as issuer:
        issuer.add("signs")
        issuer.add("encrypts")
        published = issuer.jwks()
        del published["keys"][1]["use"]
        published["keys"][1] |= kind
        monkeypatch.setattr(issuer, "jwks", lambda: published)
        access = AccessSettings(mode="required", issuer=issuer.url, audience=AUDIENCE, roles_claim="realm_access.roles")
        async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2), access=access)) as served:
            assert await status(served, issuer.token("signs")) == 200
            assert await status(served, issuer.token("encrypts")) == 401


async def test_a_token_within_the_leeway_is_taken(guarded: Served, issuer: Issuer) -> None:
    assert await status(guarded, issuer.token("first", exp=NOW() - timedelta(seconds=1))) == 200


async def test_tokens_that_are_not_signed_as_agreed_are_401(guarded: Served, issuer: Issuer) -> None:
    said = jwt.decode(issuer.token("first"), options={"verify_signature": False})
    public = issuer.keys["first"][1].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head = {"alg": "HS256", "typ": "JWT", "kid": "first"}
    encoded = ".".join(jwt.utils.base64url_encode(json.dumps(part).encode()).decode() for part in (head, said))
    confused = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(encoded.encode(), pem)
    forged = f"{encoded}.{jwt.utils.base64url_encode(confused).decode()}"
    unsigned = jwt.encode(said, "", algorithm="none", headers={"kid": "first"})
    good = issuer.token("first")
    tampered = good[:-10] + ("A" if good[-10] != "A" else "B") + good[-9:]
    for token in (forged, unsigned, tampered, good + "x", good.rsplit(".", 1)[0] + "."):
        assert await status(guarded, token) == 401


async def test_a_new_key_of_the_issuer_is_fetched_when_it_is_first_seen(
    database_url: str, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = MovedTime()
    monkeypatch.setattr("aurum.api.security.tokens.time", time)
    with issuing() as issuer:
        issuer.add("old")
        access = AccessSettings(
            mode="required", issuer=issuer.url, audience=AUDIENCE, roles_claim="realm_access.roles", jwks_pause_s=20
        )
        async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2), access=access)) as served:
            assert await status(served, issuer.token("old")) == 200
            fetches = issuer.key_fetches
            for _ in range(5):
                assert await status(served, issuer.token("old", jti=str(next(NUMBERS)))) == 200
            assert issuer.key_fetches == fetches, "known keys are not fetched again"
            issuer.add("new")
            time.now += 20
            assert await status(served, issuer.token("new")) == 200
            issuer.away = True
            assert await status(served, issuer.token("new", jti="other")) == 200, "what is known stays good"
            issuer.keys["unpublished"] = issuer.keys["old"]
            assert await status(served, issuer.token("unpublished")) == 401


async def test_an_issuer_that_was_never_reached_is_503(database_url: str, store: PostgresStore) -> None:
    with issuing() as issuer:
        issuer.add("first")
        issuer.away = True
        access = AccessSettings(mode="required", issuer=issuer.url, audience=AUDIENCE)
        async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2), access=access)) as served:
            response = await served.client.get("/v2/series", headers=bearer(issuer.token("first")))
    assert (response.status_code, "retry-after" in response.headers) == (503, True)


@pytest.mark.parametrize(
    "nonsense",
    [
        "[]",
        "null",
        '"keys"',
        '{"keys": null}',
        '{"keys": [1]}',
        '{"jwks_uri": "http://["}',
        "{",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"keys": 1e999}',
    ],
)
@pytest.mark.parametrize("discovers", [True, False])
async def test_an_issuer_that_talks_nonsense_is_503_and_asked_once_a_pause(
    database_url: str, store: PostgresStore, nonsense: str, discovers: bool
) -> None:
    with issuing() as issuer:
        issuer.add("first")
        issuer.nonsense = nonsense
        keys = None if discovers else f"{issuer.url}/keys"
        access = AccessSettings(mode="required", issuer=issuer.url, audience=AUDIENCE, jwks_url=keys, jwks_pause_s=60)
        async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2), access=access)) as served:
            assert [await status(served, issuer.token("first", jti=str(number))) for number in range(4)] == [503] * 4
    assert issuer.requests == 1


async def test_many_tokens_at_once_ask_an_issuer_that_is_away_once_a_pause(
    database_url: str, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = MovedTime()
    monkeypatch.setattr("aurum.api.security.tokens.time", time)
    with issuing() as issuer:
        issuer.add("first")
        issuer.away = True
        access = AccessSettings(
            mode="required", issuer=issuer.url, audience=AUDIENCE, roles_claim="realm_access.roles", jwks_pause_s=50
        )
        async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2), access=access)) as served:
            tokens = [issuer.token("first", jti=str(next(NUMBERS))) for _ in range(8)]
            assert set(await asyncio.gather(*(status(served, token) for token in tokens))) == {503}
            assert issuer.requests == 1
            issuer.away = False
            time.now += 50
            assert set(await asyncio.gather(*(status(served, token) for token in tokens))) == {200}
            assert issuer.key_fetches == 1


async def test_strangers_that_keep_failing_are_told_to_wait_and_the_known_are_not(
    database_url: str, store: PostgresStore
) -> None:
    text, _ = await make_key(store, "user")
    late, _ = await make_key(store, "user")
    settings = Settings(
        database=DatabaseSettings(url=database_url, pool_size=2),
        access=AccessSettings(mode="required"),
        limits=LimitsSettings(failures_per_minute=5),
    )
    async with serving(settings) as served:
        assert await status(served, text) == 200
        assert [await status(served, f"nonsense-{number}") for number in range(4)] == [401] * 4
        assert (await served.client.get("/v2/series")).status_code == 401
        refused = await served.client.get("/v2/series", headers=bearer("nonsense"))
        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/rate-limited")
        assert int(refused.headers["retry-after"]) >= 1
        assert (await served.client.get("/v2/series")).status_code == 429
        assert await status(served, late) == 200, "a key that this process sees for the first time"
        assert await status(served, text) == 200
        assert (await served.client.get("/ready")).status_code == 200


async def test_strangers_lock_out_no_key_when_keys_are_looked_up_again(database_url: str, store: PostgresStore) -> None:
    text, _ = await make_key(store, "user")
    settings = Settings(
        database=DatabaseSettings(url=database_url, pool_size=2),
        access=AccessSettings(mode="required"),
        limits=LimitsSettings(failures_per_minute=5),
    )
    async with serving(settings) as served:
        assert await status(served, text) == 200
        for number in range(10):
            await status(served, f"nonsense-{number}")
        authenticator = served.state["authenticator"]
        assert authenticator.admit(bearer(text)["authorization"].encode(), time.monotonic()) is not None
        late, _ = await make_key(store, "user")
        await change_tenant(store.transactions, "bolt", disabled=True, by=OPERATOR)
        await wait_until(lambda: authenticator.admit(bearer(text)["authorization"].encode(), time.monotonic()) is None)
        strangers = [status(served, f"other-{number}") for number in range(50)]
        *refused, known, new = await asyncio.gather(*strangers, status(served, text), status(served, late))
        assert (set(refused), known, new) == ({429}, 200, 200)


async def test_bad_credentials_displace_no_good_ones(
    database_url: str, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aurum.api.security.authenticator._MOST", 5)
    text, _ = await make_key(store, "user")
    access = AccessSettings(mode="required")
    async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2), access=access)) as served:
        assert await status(served, text) == 200
        assert {await status(served, f"nonsense-{number}") for number in range(20)} == {401}
        assert served.state["authenticator"].admit(bearer(text)["authorization"].encode(), time.monotonic()) is not None


async def test_strangers_count_among_all_together(database_url: str, store: PostgresStore) -> None:
    text, _ = await make_key(store, "user")
    settings = Settings(
        database=DatabaseSettings(url=database_url, pool_size=2),
        access=AccessSettings(mode="required"),
        limits=LimitsSettings(global_per_second=0.01),
    )
    async with serving(settings) as served:
        assert (await served.client.get("/v2/series")).status_code == 401
        answer = await served.client.get("/v2/series", headers=bearer(text))
    assert (answer.status_code, "all callers together" in answer.json()["detail"]) == (429, True)


async def test_an_open_service_asks_nobody_but_takes_no_bad_credential(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v2/series")).status_code == 200
    assert (await client.get("/v2/admin/cache")).status_code == 200
    assert (await client.get("/v2/series", headers=bearer("nonsense"))).status_code == 401


async def test_the_last_use_of_a_key_is_written_when_the_service_ends(database_url: str, store: PostgresStore) -> None:
    text, key_id = await make_key(store, "user")
    access = AccessSettings(mode="required")
    async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2), access=access)) as served:
        assert await status(served, text) == 200
    assert (await store.keys.read("acme", key_id)).last_used_at is not None
