"""The files of ``infra/clickhouse`` and ``infra/vector`` match the adapter, the log lines of the service and each other."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
import yaml

from aurum.api.v2.admin.audit.schemas import AuditDocument
from aurum.storage.clickhouse import ClickhousePool

ROOT = Path(__file__).parents[1]
SQL = ROOT / "infra/clickhouse"
VECTOR: dict[str, Any] = yaml.safe_load((ROOT / "infra/vector/vector.yaml").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
_PASSWORD = re.compile(r"\{(\w+):String\}")


def statements(name: str) -> list[str]:
    """Return the statements of a file, without comments."""
    text = "\n".join(line for line in (SQL / name).read_text().splitlines() if not line.startswith("--"))
    return [statement for statement in re.split(r";\n", text) if statement.strip()]


def written_by(script: str) -> set[str]:
    """Return the fields that a VRL program sets on an event: the keys of its one object, and later assignments."""
    text = (ROOT / "infra/vector" / script).read_text()
    return set(re.findall(r'^ +"(\w+)": ', text, re.MULTILINE)) | set(re.findall(r"^\.(\w+) = ", text, re.MULTILINE))


@pytest_asyncio.fixture(loop_scope="session")
async def by_hand(clickhouse_pool: ClickhousePool) -> AsyncIterator[ClickhousePool]:
    """The database of a test with the tables of the SQL files, beside the table that the adapter makes."""
    await clickhouse_pool.command("RENAME TABLE observation_history TO made_by_the_adapter")
    for name in ("history.sql", "logs.sql"):
        for statement in statements(name):
            await clickhouse_pool.command(statement)
    yield clickhouse_pool


async def columns(pool: ClickhousePool, table: str) -> set[str]:
    rows = await pool.read(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String}", {"table": table}
    )
    return set(rows["name"].to_list())


async def test_the_table_of_a_server_is_the_one_the_adapter_makes(by_hand: ClickhousePool) -> None:
    shown = await by_hand.read(
        "SELECT replaceRegexpOne(create_table_query, '^CREATE TABLE [^ ]+ ', '') AS text, engine_full FROM system.tables"
        " WHERE database = currentDatabase() AND name IN ('observation_history', 'made_by_the_adapter')"
    )
    assert shown.height == 2
    assert shown["text"].n_unique() == 1
    assert shown["engine_full"].n_unique() == 1


async def test_a_line_as_vector_writes_it_has_a_place_in_the_table_of_logs(by_hand: ClickhousePool) -> None:
    assert written_by("line.vrl") == await columns(by_hand, "logs")
    line = dict.fromkeys(written_by("line.vrl"), "") | {
        "timestamp": "2026-11-25T23:14:33.123456Z",
        "service": "api",
        "event": "request",
        "fields": '{"status":200}',
    }
    await by_hand.command(
        "INSERT INTO logs SETTINGS date_time_input_format = 'best_effort' FORMAT JSONEachRow " + json.dumps(line)
    )
    rows = await by_hand.read("SELECT timestamp, JSONExtractInt(fields, 'status') AS status FROM logs WHERE event = 'request'")
    assert rows["status"].to_list() == [200]
    assert rows["timestamp"].dt.microsecond().to_list() == [123_456]


async def test_an_entry_of_the_audit_log_counts_once_however_often_its_page_is_read(by_hand: ClickhousePool) -> None:
    assert written_by("audit.vrl") == set(AuditDocument.model_fields) == await columns(by_hand, "audit")
    entry = dict.fromkeys(AuditDocument.model_fields, "") | {"audit_id": 7, "at": "2026-11-25T23:14:33.123456Z", "detail": "{}"}
    for _ in range(2):
        await by_hand.command(
            "INSERT INTO audit SETTINGS date_time_input_format = 'best_effort' FORMAT JSONEachRow " + json.dumps(entry)
        )
    assert (await by_hand.read("SELECT audit_id FROM audit FINAL"))["audit_id"].to_list() == [7]


async def test_the_statements_for_users_are_valid(by_hand: ClickhousePool) -> None:
    """The embedded engine has no users, so it only parses the statements, and refuses invalid ones."""
    text = (SQL / "users.sql").read_text()
    for statement in statements("users.sql"):
        quoted = _PASSWORD.sub("'a password'", statement)
        explained = await by_hand.read("SELECT formatQuery({text:String}) AS text", {"text": quoted})
        assert explained["text"][0].split()[0] in ("CREATE", "GRANT")
    assert {f"--param_{name}" for name in _PASSWORD.findall(text)} == set(
        re.findall(r"--param_\w+", (SQL / "init.sh").read_text())
    )
    granted = re.findall(r"^GRANT ([A-Z, ]+) ON (\S+) TO (\w+)", text, re.MULTILINE)
    assert {user for rights, _, user in granted if "INSERT" in rights} == {"aurum_writer", "aurum_vector"}
    assert all(table != "*.*" and "ALL" not in rights for rights, table, _ in granted)


def test_vector_writes_into_tables_that_are_there_as_a_user_that_may() -> None:
    granted = set(re.findall(r"^GRANT INSERT ON aurum\.(\w+) TO aurum_vector", (SQL / "users.sql").read_text(), re.MULTILINE))
    assert {sink["table"] for sink in VECTOR["sinks"].values()} == granted == {"logs", "audit"}
    assert {sink["auth"]["user"] for sink in VECTOR["sinks"].values()} == {"aurum_vector"}


def test_vector_s_parts_follow_each_other_and_name_files_and_services_that_are_there() -> None:
    parts = VECTOR["sources"] | VECTOR["transforms"]
    for name, part in (VECTOR["transforms"] | VECTOR["sinks"]).items():
        assert set(part["inputs"]) <= set(parts), name
    for transform in VECTOR["transforms"].values():
        if "file" in transform:
            assert (ROOT / "infra/vector" / Path(transform["file"]).name).is_file()
    services = COMPOSE["services"]
    hosts = [VECTOR["sources"]["audit_pages"]["endpoint"], *(sink["endpoint"] for sink in VECTOR["sinks"].values())]
    assert {re.sub(r"^http://(\w+):.*$", r"\1", host) for host in hosts} <= set(services)
    assert f"com.docker.compose.project={COMPOSE['name']}" in VECTOR["sources"]["containers"]["include_labels"]
    for variable in re.findall(r"\$\{(\w+)\}", (ROOT / "infra/vector/vector.yaml").read_text()):
        assert variable in services["vector"]["environment"], variable


def test_the_container_is_told_every_password_its_script_asks_for() -> None:
    required = set(re.findall(r"\$\{(\w+):\?\}", (SQL / "init.sh").read_text()))
    assert required <= set(COMPOSE["services"]["clickhouse"]["environment"])
    assert {COMPOSE["services"][name]["profiles"][0] for name in ("clickhouse", "vector")} == {"clickhouse"}
