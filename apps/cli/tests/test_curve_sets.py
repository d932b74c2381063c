"""``aurum curves sets``: the operator of the store, and persons behind keys."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli.curves import app
from aurum.cli.keys import keys_app
from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.access import MissingScope, Role
from aurum.core.api_keys import parse_key
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Product
from aurum.core.errors import Conflict, InvalidParameters, Unauthenticated
from aurum.services.access import NewKey, create_key, create_tenant
from aurum.services.curves.marks import PersonUnknown, SamePerson, SubmitterUnknown
from aurum.storage.ports.access import Actor, KeyOwned
from aurum.storage.ports.curve_sets import UnknownCurveSet
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

OWN = "power:DE:base:DESK"
SIMPLE = (
    "trade_date,product,period,settle\n2025-01-07,power:DE:base:DESK,Feb-25,101.5\n2025-01-07,power:DE:base:DESK,Mar-25,99\n"
)


@pytest.fixture
async def settings(database_url: str, postgres_store: PostgresStore, tmp_path: Path) -> Settings:
    product = Product(CurveKey.parse(OWN), "Marks", "EUR", "EUR/MWh", 0.01, "eu_power")
    for tenant in ("acme", "bolt"):
        await create_tenant(postgres_store.transactions, tenant, tenant.title(), "free", by=Actor("operator"))
        async with postgres_store.transactions.transaction(by=Actor("operator")) as tx:
            await tx.curve_reference.put_product(product, tenant=tenant)
    settings = Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))
    path = tmp_path / "marks.csv"
    path.write_text(SIMPLE)
    result = await run(settings, "load", str(path), "--tenant", "acme")
    assert result.exit_code == 0, result.output
    return settings


async def run(settings: Settings, *arguments: str, key: str = "") -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings, env={"AURUM_KEY": key})


async def sets(settings: Settings, *arguments: str, key: str = "", tenant: str = "acme") -> str:
    result = await run(settings, "sets", *arguments, "--tenant", tenant, key=key)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output.strip()


async def refusal(settings: Settings, *arguments: str, key: str = "", tenant: str = "acme") -> BaseException | None:
    return (await run(settings, "sets", *arguments, "--tenant", tenant, key=key)).exception


async def key_of(store: PostgresStore, owner: str | None, role: Role = Role.APPROVER, tenant: str = "acme") -> str:
    request = NewKey(tenant, "desk", (role,), owner=owner)
    return (await create_key(store.transactions, request, by=Actor("operator"), now=SystemClock().now())).text


async def test_two_persons_with_keys_make_a_set_official(
    settings: Settings, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    anna, bert = await key_of(postgres_store, "Anna"), await key_of(postgres_store, "Bert")
    set_id = await sets(settings, "new", "close", OWN, key=anna)
    await sets(settings, "override", set_id, OWN, "Feb-25", "98.5", "--reason", "broker", key=anna)
    assert "is submitted" in await sets(settings, "submit", set_id, key=anna)
    assert isinstance(await refusal(settings, "approve", set_id, key=anna), SamePerson)
    assert "is approved" in await sets(settings, "approve", set_id, key=bert)
    assert "is official" in await sets(settings, "close", set_id, key=anna)
    (shown,) = json.loads(await sets(settings, "show", set_id, "--json"))["data"]
    assert [(one["period"]["label"], one["value"]) for one in shown["values"]] == [("Feb-25", 98.5), ("Mar-25", 99.0)]
    assert [(one["period"]["label"], one["person"]) for one in shown["overrides"]] == [("Feb-25", "owner:Anna")]
    assert [step["person"] for step in shown["steps"]] == ["owner:Anna", "owner:Anna", "owner:Bert", "owner:Anna"]
    text = await sets(settings, "show", set_id)
    assert "98.5" in text
    assert "broker" in text, "why an override is there"
    for name in ("m.csv", "m.parquet", "m.arrow"):
        await sets(settings, "export", set_id, str(tmp_path / name))
    assert pl.read_csv(tmp_path / "m.csv")["value"].to_list() == [98.5, 99.0]
    assert pl.read_parquet(tmp_path / "m.parquet").equals(pl.read_ipc_stream(tmp_path / "m.arrow"))
    await sets(settings, "export", set_id, str(tmp_path / "k.csv"), "--unit", "EUR/kWh")
    assert pl.read_csv(tmp_path / "k.csv")["value"].to_list() == pytest.approx([0.0985, 0.099])
    listed = json.loads(await sets(settings, "list", "--state", "official", "--json"))["data"]
    assert [one["set_id"] for one in listed] == [set_id]
    draft = (await sets(settings, "reopen", set_id, "--reason", "corrected", key=anna)).split()[0]
    assert draft != set_id
    assert (await postgres_store.curve_sets.read("acme", draft)).supersedes == set_id
    await sets(settings, "submit", draft, key=anna)
    await sets(settings, "approve", draft, key=bert)
    await sets(settings, "close", draft, key=anna)
    lines = [line.split() for line in (await sets(settings, "list", "--state", "official")).splitlines()]
    assert [(line[0], line[-1]) for line in lines if line[0] in (set_id, draft)] == [(draft, set_id), (set_id, draft)]


async def test_an_approver_rejects_and_an_override_is_deleted(settings: Settings, postgres_store: PostgresStore) -> None:
    anna = await key_of(postgres_store, "Anna", Role.TRADER)
    bert = await key_of(postgres_store, "Bert")
    set_id = await sets(settings, "new", "close", OWN, key=anna)
    await sets(settings, "override", set_id, OWN, "Feb-25", "98.5", "--reason", "runs", key=anna)
    await sets(settings, "submit", set_id, key=anna)
    assert isinstance(await refusal(settings, "reject", set_id, "--reason", "no", key=anna), MissingScope)
    outdated = ("reject", set_id, "--reason", "too low", "--version", "2")
    assert isinstance(await refusal(settings, *outdated, key=bert), Conflict)
    assert "is draft, version 4" in await sets(settings, "reject", set_id, "--reason", "too low", key=bert)
    assert "too low" in await sets(settings, "show", set_id)
    assert "version 5" in await sets(settings, "delete-override", set_id, OWN, "Feb-25", "--version", "4", key=anna)
    (shown,) = json.loads(await sets(settings, "show", set_id, "--json"))["data"]
    assert (shown["overrides"], shown["values"][0]["value"]) == ([], 101.5)


async def test_prices_are_shown_as_in_other_tables_with_their_source(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "noise.csv"
    path.write_text(
        "trade_date,product,period,settle,bid,ask\n2025-01-08,power:DE:base:DESK,Feb-25,22.200000000000003,,\n"
        "2025-01-08,power:DE:base:DESK,Mar-25,,99,100.5\n"
    )
    result = await run(settings, "load", str(path), "--tenant", "acme")
    assert result.exit_code == 0, result.output
    lines = (await sets(settings, "show", await sets(settings, "new", "close", OWN))).splitlines()
    cells = [line.split() for line in lines if line.startswith(OWN)]
    assert cells == [[OWN, "Feb-25", "22.2", "22.2", "quote", "EUR/MWh"], [OWN, "Mar-25", "99.75", "mid", "EUR/MWh"]]


async def test_corrections_since_a_submit_are_shown(settings: Settings, tmp_path: Path) -> None:
    set_id = await sets(settings, "new", "close", OWN)
    await sets(settings, "submit", set_id)
    path = tmp_path / "corrected.csv"
    path.write_text(SIMPLE.replace("101.5", "88.25"))
    result = await run(settings, "load", str(path), "--tenant", "acme")
    assert result.exit_code == 0, result.output
    text = await sets(settings, "show", set_id)
    assert "changed since the set was submitted: 1" in text
    assert "88.25" in text
    (shown,) = json.loads(await sets(settings, "show", set_id, "--json"))["data"]
    changed = [(one["period"]["label"], one["pinned"], one["current"]) for one in shown["changed_since"]]
    assert changed == [("Feb-25", 101.5, 88.25)]


async def test_the_operator_is_no_person_and_approves_nothing(settings: Settings, postgres_store: PostgresStore) -> None:
    set_id = await sets(settings, "new", "close", OWN)
    await sets(settings, "submit", set_id)
    assert isinstance(await refusal(settings, "approve", set_id), PersonUnknown)
    bert = await key_of(postgres_store, "Bert")
    assert isinstance(await refusal(settings, "approve", set_id, key=bert), SubmitterUnknown)
    unowned = await key_of(postgres_store, None)
    assert isinstance(await refusal(settings, "approve", set_id, key=unowned), PersonUnknown)


async def test_a_key_that_the_operator_gives_an_owner_approves(settings: Settings, postgres_store: PostgresStore) -> None:
    anna, unowned = await key_of(postgres_store, "Anna"), await key_of(postgres_store, None)

    async def owner(name: str) -> Result:
        arguments = ["owner", parse_key(unowned).key_id, name, "--tenant", "acme"]
        return await asyncio.to_thread(CliRunner().invoke, keys_app, arguments, obj=settings)

    set_id = await sets(settings, "new", "close", OWN, key=anna)
    await sets(settings, "submit", set_id, key=anna)
    assert isinstance(await refusal(settings, "approve", set_id, key=unowned), PersonUnknown)
    assert "(desk) belongs to Bert Jones" in (await owner("Bert Jones")).output
    assert "is approved" in await sets(settings, "approve", set_id, key=unowned)
    assert isinstance((await owner("Carl")).exception, KeyOwned)


async def test_a_key_acts_with_its_scopes_in_its_tenant(settings: Settings, postgres_store: PostgresStore) -> None:
    anna = await key_of(postgres_store, "Anna", Role.TRADER)
    set_id = await sets(settings, "new", "close", OWN, key=anna, tenant="local")
    await sets(settings, "submit", set_id, key=anna)
    assert isinstance(await refusal(settings, "approve", set_id, key=anna), MissingScope)
    carl = await key_of(postgres_store, "Carl", Role.USER)
    assert isinstance(await refusal(settings, "new", "close", OWN, key=carl), MissingScope)
    assert isinstance(await refusal(settings, "show", set_id, key=anna, tenant="bolt"), InvalidParameters)
    assert isinstance(await refusal(settings, "show", set_id, tenant="bolt"), UnknownCurveSet)
    other = await key_of(postgres_store, "Bert", tenant="bolt")
    assert isinstance(await refusal(settings, "approve", set_id, key=other, tenant="local"), UnknownCurveSet)
    assert isinstance(await refusal(settings, "list", key=f"{anna[:-60]}{'x' * 60}"), Unauthenticated)


async def test_a_comparison_says_what_is_not_compared(settings: Settings, postgres_store: PostgresStore) -> None:
    set_id = await sets(settings, "new", "close", OWN)
    await sets(settings, "override", set_id, OWN, "Feb-25", "90", "--reason", "broker")
    itself = ("compare", set_id, "--against", f"{OWN}={OWN}", "--tolerance", "5", "--tolerance", "gas:*=2%")
    assert isinstance(await refusal(settings, *itself), InvalidParameters)
    assert "not compared" in await sets(settings, "compare", set_id, "--venue", "EUGP2", "--tolerance", "1%")
    for limit in ("many", "nan", "inf", "-1", "101%"):
        refused = await refusal(settings, "compare", set_id, "--venue", "EUGP2", "--tolerance", limit)
        assert "--tolerance" in str(refused), limit
    for wrong in (("--against", "x", "--tolerance", "1"), ()):
        assert isinstance(await refusal(settings, "compare", set_id, *wrong), InvalidParameters)
