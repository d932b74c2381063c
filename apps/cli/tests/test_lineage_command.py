"""``aurum lineage``: from a number to the line of its file, on the machine that stores the file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli.main import app, register_commands
from aurum.services.access import create_tenant
from aurum.storage.ports.access import Actor
from aurum.storage.testing.stores import PostgresStore

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_process]

MARKS = "trade_date,product,period,settle,bid,ask\n2025-01-07,power:DE:base:EEX,Feb-25,101.5,101,102\n"
PRICES = (
    "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)\n"
    "11/05/2025 00:00,N.Y.C.,61761,51.52,2.92,0.00\n"
)
OWN, NYC = "power:DE:base:DESK", "nyiso:damlbmp_zone:61761:lmp"


@pytest.fixture
async def folder(database_url: str, postgres_store: PostgresStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory of the commands, over the database of the test with two tenants."""
    for tenant in ("acme", "bolt"):
        await create_tenant(postgres_store.transactions, tenant, tenant.title(), "free", by=Actor("operator"))
    monkeypatch.setenv("AURUM_DATABASE__URL", database_url)
    monkeypatch.setenv("AURUM_DATA_DIR", str(tmp_path / "data"))
    register_commands()
    return tmp_path


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))


async def test_a_mark_of_a_desk_is_found_in_the_line_of_its_file(folder: Path) -> None:
    (folder / "marks.csv").write_text(MARKS)
    loaded = await run("curves", "load", str(folder / "marks.csv"), "--tenant", "acme", "--venue", "DESK")
    assert loaded.exit_code == 0, loaded.output
    question = ("lineage", OWN, "--period", "Feb-25", "--trade-date", "2025-01-07", "--field", "ask")
    shown = await run(*question, "--tenant", "acme", "--json")
    assert shown.exit_code == 0, shown.output
    answer = json.loads(shown.stdout)
    (file,) = answer["data"]["files"]
    assert (answer["data"]["value"], file["name"], file["how"]) == (102.0, "marks.csv", "file")
    place = file["place"]
    assert (place["state"], place["line"], place["verified"], place["text"]) == ("located", 2, True, MARKS.split("\n")[1])
    assert (place["column"], place["column_number"]) == ("ask", 6)
    table = await run(*question, "--tenant", "acme")
    assert "line 2, column ask (6), verified" in " ".join(table.stdout.split())
    other = await run(*question, "--tenant", "bolt")
    assert other.exit_code != 0


async def test_a_file_that_was_not_stored_says_so(folder: Path) -> None:
    (folder / "20251105damlbmp_zone.csv").write_text(PRICES)
    await run("ingest", str(folder / "20251105damlbmp_zone.csv"))
    question = ("lineage", NYC, "--start", "2025-11-05T05:00:00Z", "--json")
    place = json.loads((await run(*question)).stdout)["data"]["files"][0]["place"]
    assert place["state"] == "not_stored"
    assert "AURUM_FILES__RAW_FILES is curves" in place["why"]
    left_out = json.loads((await run(*question, "--no-locate")).stdout)["data"]["files"][0]["place"]
    assert left_out["state"] == "not_requested"


@pytest.mark.parametrize("options", [(), ("--start", "2025-11-05T05:00:00Z", "--period", "Feb-25")])
async def test_a_key_alone_names_no_number(folder: Path, options: tuple[str, ...]) -> None:
    result = await run("lineage", NYC, *options)
    assert result.exit_code != 0
    assert "--start" in str(result.exception)
