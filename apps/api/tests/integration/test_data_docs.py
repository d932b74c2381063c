"""Data docs: what is expected and found, as pages of the service and as files; hostile text stays text."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from aurum.api.datadocs.export import write_site
from aurum.api.testing import InMemory, Served, serving
from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings import AccessSettings, ApiSettings, Settings
from aurum.core.catalog.expectations import Severity
from aurum.core.catalog.validations import ExpectationOutcome, ValidationResult
from aurum.storage.memory import MemoryStore

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
REPEATED = ExpectationOutcome(
    expectation="expect_column_values_to_be_unique",
    column="series_id",
    kwargs={"column": "series_id"},
    severity=Severity.CRITICAL,
    success=False,
    evaluated=12_345,
    unexpected=42,
    sample=tuple({"series_id": number} for number in range(10)),
    why="one row each",
)
BOUNDS = replace(
    REPEATED,
    expectation="expect_column_values_to_be_between",
    column="value",
    kwargs={"column": "value", "max_value": HOSTILE},
    sample=({"location": HOSTILE, HOSTILE: 1, "value": None},),
    why=HOSTILE,
)
_TARGET = re.compile(r'(?:href|src|action)="([^"]*)"')


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(SystemClock())


@pytest_asyncio.fixture(loop_scope="session")
async def checked(store: MemoryStore) -> AsyncIterator[Served]:
    """A service whose store has a mart that breaks its suite, a good file, and one that is hostile in all it can say."""
    await store.validations.record_validations(
        [
            ValidationResult("dim_series", mart="dim_series", run_id="run-7", rows=12_345, outcomes=(REPEATED,)),
            ValidationResult("nyiso_damlbmp_zone", source="nyiso", dataset="damlbmp_zone", rows=100),
            ValidationResult(
                f"gone{HOSTILE}", source=HOSTILE, dataset=HOSTILE, run_id=HOSTILE, outcomes=(BOUNDS,), reason=HOSTILE
            ),
        ]
    )
    async with serving(Settings(), InMemory(store)) as served:
        yield served


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


async def text_of(served: Served, path: str) -> str:
    response = await served.client.get(path)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8"), path
    assert response.headers["cache-control"] == "private, no-cache"
    policy = response.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "default-src 'none'" in policy
    return response.text


async def test_a_mart_that_breaks_its_suite_is_on_the_first_page_and_leads_to_the_rows(checked: Served) -> None:
    first = await text_of(checked, "/docs/quality")
    failures = first[first.index('id="failures"') : first.index('id="marts"')]
    assert "run-7" in failures
    assert '<a href="/docs/quality/suites/dim_series">dim_series</a>' in failures
    check = await text_of(checked, "/docs/quality/validations/1")
    assert "series_id is never repeated" in check
    assert "12,345" in check
    assert "The first 10 of 42." in check
    suite = await text_of(checked, "/docs/quality/suites/dim_series")
    assert '<span class="verdict bad">broken</span>' in suite
    assert "series_key matches" in suite, "expectations that were not checked then are shown as well"


async def test_a_dataset_that_was_never_checked_shows_what_is_expected(checked: Served) -> None:
    page = await text_of(checked, "/docs/quality/suites/aeso_current_supply_demand")
    assert "not checked" in page
    assert "storage draws power while it charges" in page


async def test_every_link_of_every_page_leads_somewhere(checked: Served) -> None:
    seen: set[str] = set()
    waiting = {"/docs/quality"}
    while waiting:
        path = waiting.pop()
        seen.add(path)
        linked = {target for target in _TARGET.findall(await text_of(checked, path)) if target.startswith("/docs/quality")}
        waiting |= {target for target in linked if target not in seen}
    assert {"/docs/quality/validations/1", "/docs/quality/suites/nyiso_damlbmp_zone"} <= seen
    assert len(seen) > 90


async def test_hostile_text_is_text_in_pages_and_in_files(checked: Served, store: MemoryStore, tmp_path: Path) -> None:
    await write_site(tmp_path, contracts=contracts_directory(None), log=store.validations)
    pages = [path.read_text(encoding="utf-8") for path in files_of(tmp_path)]
    pages += [await text_of(checked, path) for path in ("/docs/quality", "/docs/quality/validations/3")]
    assert sum("alert(1)" in page for page in pages) >= 4
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page


async def test_the_files_need_no_server(checked: Served, store: MemoryStore, tmp_path: Path) -> None:
    del checked  # the store has its checks by then
    count = await write_site(tmp_path, contracts=contracts_directory(None), log=store.validations)
    files = files_of(tmp_path)
    assert len(files) == count > 90
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert "<script" not in text
        for target in _TARGET.findall(text):
            assert "://" not in target
            assert not target.startswith("/")
            relative = re.sub(r"%([0-9A-F]{2})", lambda escape: chr(int(escape[1], 16)), target)
            assert (file.parent / relative).is_file(), (file.name, target)


async def test_what_is_not_there_is_a_problem(checked: Served) -> None:
    for path, status in (("suites/nothing", 404), ("validations/99", 404), ("validations/0", 422), ("validations/x", 422)):
        assert (await checked.client.get(f"/docs/quality/{path}")).status_code == status, path


async def test_where_callers_are_asked_who_they_are_nobody_else_sees_rows(store: MemoryStore) -> None:
    settings = Settings(access=AccessSettings(mode="required"), api=ApiSettings(cursor_secret=SecretStr("s" * 32)))
    async with serving(settings, InMemory(store)) as served:
        assert (await served.client.get("/docs")).status_code == 200
        for path in ("/docs/quality", "/docs/quality/suites/dim_series", "/docs/quality/validations/1"):
            assert (await served.client.get(path)).status_code == 401, path
