"""Results of checks of files and marts, as the API serves them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from aurum.api.testing import Served, serving
from aurum.common.contracts import contracts_directory
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.catalog.expectations import Severity
from aurum.core.catalog.validations import ExpectationOutcome, ValidationResult
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

HEADER = "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)\n"
GOOD = "11/05/2025 00:00,N.Y.C.,61761,51.52,2.92,0.00"
NO_PRICE = "11/05/2025 01:00,N.Y.C.,61761,99999,2.92,0.00"
HIGH = "11/05/2025 02:00,N.Y.C.,61761,4500,2.92,0.00"
REPEATED = ExpectationOutcome(
    expectation="expect_column_values_to_be_unique",
    column="series_key",
    kwargs={"column": "series_key"},
    severity=Severity.CRITICAL,
    success=False,
    evaluated=9,
    unexpected=2,
    sample=({"series_key": "a:b:c:d"},),
)


def prices(*rows: str) -> SourceFile:
    return SourceFile("20251105damlbmp_zone.csv", (HEADER + "".join(f"{row}\n" for row in rows)).encode())


@pytest_asyncio.fixture(loop_scope="session")
async def checked(database_url: str, postgres_store: PostgresStore, tmp_path: Path) -> AsyncIterator[Served]:
    """A service whose store was offered a good file, one with rows that break expectations, one cut off, and a broken mart."""
    ingestion = Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=postgres_store.loader,
        raw_files=RawFiles(tmp_path / "kept"),
    )
    offered = [prices(GOOD), prices(GOOD, NO_PRICE, HIGH), prices(GOOD, "11/05/2025 01:00,N.Y.C.,617")]
    reports = [report async for report in ingestion.ingest_all(offered)]
    assert [one.outcome for one in reports] == [FileOutcome.APPLIED, FileOutcome.APPLIED, FileOutcome.REFUSED]
    await postgres_store.validations.record_validations(
        [ValidationResult("dim_series", mart="dim_series", run_id="run-7", rows=9, outcomes=(REPEATED,))]
    )
    database = DatabaseSettings(url=database_url, pool_size=2)
    async with serving(Settings(data_dir=tmp_path, database=database)) as served:
        yield served


async def listed(served: Served, **parameters: str | int | bool) -> list[dict[str, Any]]:
    response = await served.client.get("/v2/catalog/quality/validations", params=parameters)
    assert response.status_code == 200, response.text
    return response.json()["data"]


async def test_a_file_with_bad_rows_tells_which_expectations_they_broke(checked: Served) -> None:
    (broken,) = [one for one in await listed(checked, dataset="damlbmp_zone") if one["failed"]]
    assert (broken["suite"], broken["file_name"]) == ("nyiso_damlbmp_zone", "20251105damlbmp_zone.csv")
    assert (broken["rows"], broken["failed"], broken["success"], broken["reason"]) == (12, 2, False, "")
    response = await checked.client.get(f"/v2/catalog/quality/validations/{broken['validation_id']}")
    validation = response.json()["data"]
    assert {name: validation[name] for name in broken} == broken
    assert len(validation["outcomes"]) == broken["expectations"]
    (bounds,) = [
        one
        for one in validation["outcomes"]
        if one["severity"] == "critical" and one["unexpected"] and one["kwargs"]["row_condition"] == 'measure=="lmp"'
    ]
    assert (bounds["expectation"], bounds["column"]) == ("expect_column_values_to_be_between", "value")
    assert (bounds["evaluated"], bounds["unexpected"], bounds["success"]) == (3, 1, False)
    assert bounds["wording"] == 'value is between -1000 and 10000 where measure=="lmp"'
    assert bounds["sample"] == [
        {"line": 3, "location": "61761", "measure": "lmp", "ts": "2025-11-05T06:00:00Z", "value": 99999.0}
    ]
    warnings = [one for one in validation["outcomes"] if one["severity"] == "warning" and not one["success"]]
    assert broken["warned"] == len(warnings) > 0


async def test_a_good_file_is_on_record_as_well(checked: Served) -> None:
    (good,) = await listed(checked, dataset="damlbmp_zone", success=True)
    assert (good["failed"], good["warned"], good["rows"], good["mart"]) == (0, 0, 4, None)


async def test_a_refused_file_is_a_failure_with_its_reason(checked: Served) -> None:
    (refused,) = [one for one in await listed(checked, source="nyiso", success=False) if one["reason"]]
    (file,) = (await checked.client.get("/v2/catalog/quality/files?status=refused")).json()["data"]
    assert (refused["file_id"], refused["reason"]) == (file["file_id"], file["reason"])
    assert refused["expectations"] == 0, "nothing of it could be read"


async def test_a_mart_that_breaks_its_suite_is_found_by_its_name(checked: Served) -> None:
    (mart,) = await listed(checked, mart="dim_series")
    assert (mart["run_id"], mart["success"], mart["dataset"], mart["file_id"]) == ("run-7", False, None, None)
    response = await checked.client.get(f"/v2/catalog/quality/validations/{mart['validation_id']}")
    (outcome,) = response.json()["data"]["outcomes"]
    assert (outcome["unexpected"], outcome["sample"]) == (2, [{"series_key": "a:b:c:d"}])


async def test_validations_are_paged_newest_first(checked: Served) -> None:
    everything = await listed(checked)
    numbers = [one["validation_id"] for one in everything]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 4
    first = (await checked.client.get("/v2/catalog/quality/validations?limit=3")).json()
    rest = await listed(checked, limit=3, cursor=first["meta"]["next_cursor"])
    assert first["data"] + rest == everything
    newest = everything[0]["validated_at"]
    assert await listed(checked, since=newest) == everything[:1]
    other = await checked.client.get(
        "/v2/catalog/quality/validations", params={"success": False, "cursor": first["meta"]["next_cursor"]}
    )
    assert other.status_code == 422


async def test_what_is_not_a_validation_is_a_problem(checked: Served) -> None:
    for path, status in (("999999", 404), ("0", 422), ("nine", 422), (str(2**63), 422)):
        response = await checked.client.get(f"/v2/catalog/quality/validations/{path}")
        assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json"), path
    for wrong in ({"since": "yesterday"}, {"success": "perhaps"}, {"mart": "a\0b"}, {"unknown": "1"}):
        response = await checked.client.get("/v2/catalog/quality/validations", params=wrong)
        assert response.status_code == 422, wrong


async def test_a_list_tells_of_a_check_made_since(checked: Served, postgres_store: PostgresStore) -> None:
    before = await listed(checked, mart="dim_block_hour")
    assert before == []
    await postgres_store.validations.record_validations([ValidationResult("dim_block_hour", mart="dim_block_hour", rows=1)])

    async def there() -> bool:
        return [one["mart"] for one in await listed(checked, mart="dim_block_hour")] == ["dim_block_hour"]

    await wait_until(there)
