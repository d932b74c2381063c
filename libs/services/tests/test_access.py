"""Keys, tenants and plans: what may be created and changed, and the outcome of concurrent attempts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from aurum.core.access import ROLES, Permission, RatePlan, Role
from aurum.core.api_keys import parse_key
from aurum.core.errors import Conflict, InvalidParameters, NotFound, UnknownName
from aurum.services.access import (
    GrantsTooMuch,
    IssuedKey,
    NewKey,
    change_tenant,
    create_key,
    create_tenant,
    give_owner,
    put_plan,
    revoke_key,
    rotate_key,
)
from aurum.storage.ports.access import Actor, ApiKey, AuditEntry, KeyEnded, KeyOwned, KeyReplaced
from aurum.storage.testing.stores import Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OPERATOR = Actor("key:operator", None, "request-1", "127.0.0.1")


async def with_tenants(store: Store) -> Store:
    for name in ("acme", "bolt"):
        await create_tenant(store.transactions, name, name.title(), "basic", by=OPERATOR)
    return store


async def issued(store: Store, wish: NewKey | None = None) -> IssuedKey:
    return await create_key(store.transactions, wish or NewKey("acme", "notebook", (Role.USER,)), by=OPERATOR, now=NOW)


async def rotated(store: Store, key_id: str, *, grace: timedelta = DAY, now: datetime = NOW) -> IssuedKey:
    return await rotate_key(store.transactions, "acme", key_id, grace=grace, by=OPERATOR, now=now)


async def keys_of(store: Store, tenant: str = "acme") -> Sequence[ApiKey]:
    return await store.keys.page(tenant, after=None, limit=99)


async def records(store: Store, action: str) -> Sequence[AuditEntry]:
    return await store.audit.page(action=action, before=None, limit=99)


async def test_a_made_key_is_found_by_its_text_and_its_secret_is_stored_nowhere(store: Store) -> None:
    await with_tenants(store)
    wish = NewKey("acme", "notebook", (Role.ANALYST,), (Permission.ADMIN_READ,), expires_at=NOW + DAY)
    made = await issued(store, wish)
    parts = parse_key(made.text)
    credential = await store.keys.credential(parts.key_id)
    assert credential is not None
    assert (credential.key, credential.digest) == (made.key, parts.digest)
    assert (made.key.created_at, made.key.created_by, made.key.expires_at) == (NOW, "key:operator", NOW + DAY)
    (entry,) = await records(store, "key.create")
    assert (entry.target, entry.tenant) == (made.key.key_id, "acme")
    assert entry.detail == {
        "name": "notebook",
        "roles": ["analyst"],
        "scopes": ["admin:read"],
        "expires_at": "2026-11-22T12:00:00+00:00",
    }
    secret = made.text.removeprefix(f"aurum_{parts.key_id}_")
    assert secret not in json.dumps(entry.detail)


async def test_two_keys_never_have_the_same_text(store: Store) -> None:
    await with_tenants(store)
    made = [await issued(store) for _ in range(3)]
    assert len({one.text for one in made}) == len({one.key.key_id for one in made}) == 3


async def test_a_key_for_a_tenant_that_is_missing_is_refused_without_a_record(store: Store) -> None:
    with pytest.raises(NotFound):
        await issued(store, NewKey("unknown", "notebook"))
    assert await records(store, "key.create") == []


async def test_a_key_whose_id_is_taken_is_a_conflict_and_leaves_the_first_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_tenants(store)
    monkeypatch.setattr("aurum.services.access.keys.secrets", SimpleNamespace(token_bytes=bytes))
    first = await issued(store)
    with pytest.raises(Conflict) as caught:
        await issued(store, NewKey("bolt", "other"))
    assert caught.value.facts == {"key_id": first.key.key_id}
    assert await keys_of(store) == [first.key]
    assert await keys_of(store, "bolt") == []
    assert len(await records(store, "key.create")) == 1


@pytest.mark.parametrize(
    ("wish", "too_much"),
    [
        (NewKey("acme", "k", (Role.ADMIN,)), ["admin:flags", "admin:limits", "admin:read"]),
        (NewKey("acme", "k", (), (Permission.TENANT_MANAGE,)), ["tenant:manage"]),
        (NewKey("acme", "k", (Role.USER,), (Permission.SERIES_READ, Permission.ADMIN_WRITE)), ["admin:write"]),
    ],
)
async def test_a_key_cannot_do_what_its_maker_may_not(store: Store, wish: NewKey, too_much: list[str]) -> None:
    await with_tenants(store)
    with pytest.raises(GrantsTooMuch) as caught:
        await create_key(store.transactions, wish, by=OPERATOR, may=ROLES[Role.TRADER], now=NOW)
    assert caught.value.facts == {"scopes": too_much}
    assert await keys_of(store) == []
    assert await records(store, "key.create") == []


async def test_a_key_may_do_all_that_its_maker_may(store: Store) -> None:
    await with_tenants(store)
    made = await create_key(
        store.transactions, NewKey("acme", "k", (Role.TRADER,)), by=OPERATOR, may=ROLES[Role.TRADER], now=NOW
    )
    assert await keys_of(store) == [made.key]


async def test_a_key_has_an_owner_that_rotation_keeps_and_the_audit_names(store: Store) -> None:
    await with_tenants(store)
    made = await issued(store, NewKey("acme", "desk", (Role.APPROVER,), owner="  Anna   Smith "))
    assert made.key.owner == "Anna Smith"
    (record,) = await records(store, "key.create")
    assert record.detail["owner"] == "Anna Smith"
    new = await rotated(store, made.key.key_id)
    credential = await store.keys.credential(new.key.key_id)
    assert credential is not None
    assert credential.key.owner == "Anna Smith"
    assert {one.owner for one in await keys_of(store)} == {"Anna Smith"}


async def owned(store: Store, key_id: str, owner: str, role: Role = Role.SUPER_ADMIN, tenant: str = "acme") -> ApiKey:
    return await give_owner(store.transactions, tenant, key_id, owner, by=OPERATOR, may=ROLES[role], now=NOW)


async def test_a_key_without_an_owner_gets_one_once_and_the_audit_names_it(store: Store) -> None:
    await with_tenants(store)
    made = await issued(store, NewKey("acme", "desk", (Role.APPROVER,)))
    named = await owned(store, made.key.key_id, "  Anna   Smith ")
    assert named == replace(made.key, owner="Anna Smith") == await store.keys.read("acme", made.key.key_id)
    credential = await store.keys.credential(made.key.key_id)
    assert credential is not None
    assert credential.key.owner == "Anna Smith"
    assert await owned(store, made.key.key_id, "Anna Smith") == named, "again, and it changes nothing"
    with pytest.raises(KeyOwned) as caught:
        await owned(store, made.key.key_id, "Bert Jones")
    assert caught.value.facts == {"key_id": made.key.key_id, "owner": "Anna Smith"}
    assert (await rotated(store, made.key.key_id)).key.owner == "Anna Smith"
    assert [(one.target, one.detail) for one in await records(store, "key.owner")] == [
        (made.key.key_id, {"owner": "Anna Smith"})
    ]


async def test_a_key_that_has_ended_or_was_rotated_gets_no_owner(store: Store) -> None:
    await with_tenants(store)
    revoked, expired, old = [await issued(store, NewKey("acme", "k", expires_at=ends)) for ends in (None, NOW, None)]
    await revoke_key(store.transactions, "acme", revoked.key.key_id, by=OPERATOR)
    for one in (revoked, expired):
        with pytest.raises(KeyEnded):
            await owned(store, one.key.key_id, "Anna")
    successor = (await rotated(store, old.key.key_id)).key.key_id
    with pytest.raises(KeyReplaced) as caught:
        await owned(store, old.key.key_id, "Anna")
    assert caught.value.facts == {"key_id": old.key.key_id, "by": successor}
    assert (await owned(store, successor, "Anna")).owner == "Anna"
    assert [one.target for one in await records(store, "key.owner")] == [successor]


async def test_an_owner_is_named_by_who_may_do_all_that_the_key_may_in_its_tenant(store: Store) -> None:
    await with_tenants(store)
    approver = await issued(store, NewKey("acme", "desk", (Role.APPROVER,)))
    with pytest.raises(GrantsTooMuch) as caught:
        await owned(store, approver.key.key_id, "Anna", Role.ADMIN)
    assert caught.value.facts == {"scopes": ["curves:approve"]}
    with pytest.raises(NotFound):
        await owned(store, approver.key.key_id, "Anna", tenant="bolt")
    with pytest.raises(InvalidParameters, match="owner"):
        await owned(store, approver.key.key_id, "--")
    assert await keys_of(store) == [approver.key]
    assert await records(store, "key.owner") == []


async def test_of_two_owners_named_at_once_one_stands(store: Store) -> None:
    await with_tenants(store)
    made = await issued(store)
    results = await asyncio.gather(
        *(owned(store, made.key.key_id, name) for name in ("Anna", "Bert", "Carl")), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["ApiKey", "KeyOwned", "KeyOwned"]
    assert len(await records(store, "key.owner")) == 1


@pytest.mark.parametrize("owner", ["", "  ", "--", "x" * 201])
async def test_an_owner_that_names_nobody_is_refused(store: Store, owner: str) -> None:
    await with_tenants(store)
    with pytest.raises(InvalidParameters) as caught:
        await issued(store, NewKey("acme", "desk", owner=owner))
    assert "owner" in caught.value.detail
    assert await keys_of(store) == []


async def test_rotation_makes_a_like_key_and_lets_the_old_one_end_after_the_grace(store: Store) -> None:
    await with_tenants(store)
    old = await issued(store, NewKey("acme", "notebook", (Role.USER,), (Permission.ADMIN_READ,)))
    await store.keys.note_used({old.key.key_id: NOW})
    later = NOW + timedelta(hours=2)
    new = await rotated(store, old.key.key_id, now=later)
    assert new.key == replace(old.key, key_id=new.key.key_id, created_at=later, replaces=old.key.key_id)
    assert parse_key(new.text).key_id == new.key.key_id
    assert await store.keys.read("acme", new.key.key_id) == new.key
    ended = await store.keys.read("acme", old.key.key_id)
    assert (ended.expires_at, ended.is_valid(later), ended.is_valid(later + DAY)) == (later + DAY, True, False)
    (entry,) = await records(store, "key.rotate")
    assert (entry.target, entry.detail["replaces"]) == (new.key.key_id, old.key.key_id)
    assert entry.detail["old_expires_at"] == (later + DAY).isoformat()


async def test_rotation_lets_no_key_outlive_the_end_it_had(store: Store) -> None:
    await with_tenants(store)
    ends = NOW + timedelta(hours=1)
    old = await issued(store, NewKey("acme", "notebook", expires_at=ends))
    new = await rotated(store, old.key.key_id)
    assert [one.expires_at for one in await keys_of(store)] == [ends, ends]
    assert new.key.expires_at == ends


async def test_a_key_that_has_ended_cannot_come_back_by_rotation(store: Store) -> None:
    await with_tenants(store)
    revoked = await issued(store)
    expired = await issued(store, NewKey("acme", "old", expires_at=NOW))
    await revoke_key(store.transactions, "acme", revoked.key.key_id, by=OPERATOR)
    before = await keys_of(store)
    for one in (revoked, expired):
        with pytest.raises(KeyEnded) as caught:
            await rotated(store, one.key.key_id)
        assert caught.value.facts == {"key_id": one.key.key_id}
    assert await keys_of(store) == before
    assert await records(store, "key.rotate") == []


async def test_a_key_is_rotated_once_and_the_refusal_names_the_key_in_its_place(store: Store) -> None:
    await with_tenants(store)
    old = await issued(store)
    new = await rotated(store, old.key.key_id)
    with pytest.raises(KeyReplaced) as caught:
        await rotated(store, old.key.key_id)
    assert caught.value.facts == {"key_id": old.key.key_id, "by": new.key.key_id}
    again = await rotated(store, new.key.key_id)
    assert len(await keys_of(store)) == 3
    assert again.key.replaces == new.key.key_id


async def test_a_key_that_may_do_more_than_the_caller_is_not_rotated(store: Store) -> None:
    await with_tenants(store)
    strong = await issued(store, NewKey("acme", "strong", (Role.SUPER_ADMIN,)))
    with pytest.raises(GrantsTooMuch) as caught:
        await rotate_key(
            store.transactions,
            "acme",
            strong.key.key_id,
            grace=DAY,
            by=OPERATOR,
            may=ROLES[Role.ADMIN],
            now=NOW,
        )
    assert caught.value.facts == {"scopes": ["admin:write", "curves:approve", "tenant:manage"]}
    assert await keys_of(store) == [strong.key]
    assert await records(store, "key.rotate") == []


async def test_keys_of_another_tenant_are_not_found(store: Store) -> None:
    await with_tenants(store)
    of_bolt = await issued(store, NewKey("bolt", "notebook"))
    with pytest.raises(NotFound):
        await rotated(store, of_bolt.key.key_id)
    with pytest.raises(NotFound):
        await revoke_key(store.transactions, "acme", of_bolt.key.key_id, by=OPERATOR)
    assert await keys_of(store, "bolt") == [of_bolt.key]
    assert [one.action for one in await store.audit.page(tenant="acme", before=None, limit=9)] == ["tenant.create"]


async def test_a_revoked_key_stays_as_it_was_revoked_and_is_recorded_once(store: Store) -> None:
    await with_tenants(store)
    made = await issued(store)
    first = await revoke_key(store.transactions, "acme", made.key.key_id, by=OPERATOR)
    again = await revoke_key(store.transactions, "acme", made.key.key_id, by=OPERATOR)
    assert first.revoked_at is not None
    assert not first.is_valid(NOW)
    assert again == first == await store.keys.read("acme", made.key.key_id)
    assert [one.target for one in await records(store, "key.revoke")] == [made.key.key_id]


async def test_of_several_who_revoke_a_key_at_once_one_is_recorded(store: Store) -> None:
    await with_tenants(store)
    made = await issued(store)
    revoked = await asyncio.gather(*(revoke_key(store.transactions, "acme", made.key.key_id, by=OPERATOR) for _ in range(4)))
    assert len(set(revoked)) == 1
    assert len(await records(store, "key.revoke")) == 1


@pytest.mark.parametrize(("grace", "refusal"), [(DAY, KeyReplaced), (timedelta(), KeyEnded)])
async def test_of_several_who_rotate_a_key_at_once_one_does_and_the_others_are_told_why_not(
    store: Store, grace: timedelta, refusal: type[Conflict]
) -> None:
    await with_tenants(store)
    made = await issued(store)
    outcomes = await asyncio.gather(*(rotated(store, made.key.key_id, grace=grace) for _ in range(4)), return_exceptions=True)
    (new,) = [one for one in outcomes if isinstance(one, IssuedKey)]
    assert [type(one) for one in outcomes if one is not new] == [refusal] * 3
    assert {one.key_id for one in await keys_of(store)} == {made.key.key_id, new.key.key_id}
    assert [one.target for one in await records(store, "key.rotate")] == [new.key.key_id]


async def test_of_one_who_revokes_and_one_who_rotates_a_key_neither_undoes_the_other(store: Store) -> None:
    await with_tenants(store)
    made = await issued(store)
    revoked, new = await asyncio.gather(
        revoke_key(store.transactions, "acme", made.key.key_id, by=OPERATOR),
        rotated(store, made.key.key_id),
        return_exceptions=True,
    )
    assert isinstance(revoked, ApiKey)
    assert isinstance(new, IssuedKey | KeyEnded)
    assert not (await store.keys.read("acme", made.key.key_id)).is_valid(NOW)


async def test_a_tenant_is_made_with_its_plan_and_on_record(store: Store) -> None:
    made = await create_tenant(store.transactions, "acme", "Acme", "basic", by=OPERATOR)
    assert await store.tenants.tenant("acme") == (made, RatePlan("basic", 300, 5_000, 50_000, 1.5, 10))
    (entry,) = await records(store, "tenant.create")
    assert (entry.target, entry.tenant, entry.detail) == ("acme", "acme", {"name": "Acme", "plan": "basic"})


async def test_a_tenant_that_cannot_be_made_or_changed_leaves_no_record(store: Store) -> None:
    await with_tenants(store)
    before = await store.audit.page(before=None, limit=9)
    with pytest.raises(Conflict):
        await create_tenant(store.transactions, "acme", "Again", "basic", by=OPERATOR)
    with pytest.raises(UnknownName, match="premium") as caught:
        await create_tenant(store.transactions, "new", "New", "premum", by=OPERATOR)
    assert caught.value.facts["nearest"] == ["premium"]
    with pytest.raises(UnknownName, match="premium"):
        await change_tenant(store.transactions, "acme", plan="premum", disabled=True, by=OPERATOR)
    with pytest.raises(NotFound):
        await change_tenant(store.transactions, "unknown", disabled=True, by=OPERATOR)
    assert await store.audit.page(before=None, limit=9) == before
    tenant, _ = await store.tenants.tenant("acme")
    assert (tenant.name, tenant.plan, tenant.disabled_at) == ("Acme", "basic", None)


async def test_of_several_who_make_a_tenant_at_once_one_does_and_the_others_meet_a_conflict(store: Store) -> None:
    outcomes = await asyncio.gather(
        *(create_tenant(store.transactions, "acme", f"Acme {n}", "basic", by=OPERATOR) for n in range(4)),
        return_exceptions=True,
    )
    refused = [one for one in outcomes if isinstance(one, BaseException)]
    assert len(refused) == 3
    assert all(isinstance(one, Conflict) and one.facts == {"tenant": "acme"} for one in refused)
    assert len(await records(store, "tenant.create")) == 1


async def test_what_a_change_of_a_tenant_does_not_name_stays(store: Store) -> None:
    await with_tenants(store)
    disabled = await change_tenant(store.transactions, "acme", disabled=True, by=OPERATOR)
    assert disabled.disabled_at is not None
    moved = await change_tenant(store.transactions, "acme", plan="premium", by=OPERATOR)
    assert moved == replace(disabled, plan="premium")
    again = await change_tenant(store.transactions, "acme", disabled=True, by=OPERATOR)
    assert again.disabled_at == disabled.disabled_at
    enabled = await change_tenant(store.transactions, "acme", disabled=False, by=OPERATOR)
    assert (enabled.plan, enabled.disabled_at) == ("premium", None)
    details = [one.detail for one in await records(store, "tenant.change")]
    assert details == [
        {"plan": None, "disabled": False},
        {"plan": None, "disabled": True},
        {"plan": "premium", "disabled": None},
        {"plan": None, "disabled": True},
    ]


async def test_a_plan_is_changed_for_all_its_tenants_and_on_record(store: Store) -> None:
    await with_tenants(store)
    plan = RatePlan("basic", 301, 5_000, 50_000, 1.5, 10)
    await put_plan(store.transactions, plan, by=OPERATOR)
    assert [(await store.tenants.tenant(name))[1] for name in ("acme", "bolt")] == [plan, plan]
    (entry,) = await records(store, "plan.put")
    assert (entry.target, entry.detail["per_minute"], entry.detail["at_once"]) == ("basic", 301, 10)
