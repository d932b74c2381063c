"""The catalog of models over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

from aurum.api.testing import InMemory, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.models import ModelEntry, ModelRun, NodeKind, NodeResult, NodeStatus, TableFreshness

AT = datetime(2026, 1, 1, 6, tzinfo=UTC)
COLUMN = {"name": "price_mean", "type": "double precision", "description": "Mean."}
PRICES = ModelEntry(
    name="fct_lmp_daily",
    layer="marts",
    description="Prices by day.",
    materialized="incremental",
    relation="marts.fct_lmp_daily",
    depends_on=("int_lmp_daily",),
    tables=("store.observation",),
    datasets=(("nyiso", "damlbmp_zone"),),
    columns=(COLUMN,),
)
DAYS = ModelEntry("dim_market_day", "marts", "Days.", "view", "marts.dim_market_day", (), ("store.market_day",), (), ())


def build(number: int, status: NodeStatus) -> ModelRun:
    return ModelRun(
        invocation=f"run-{number}",
        command="build",
        target="duckdb",
        schema="marts",
        started_at=AT,
        seconds=12.0,
        succeeded=status is NodeStatus.OK,
        reason="" if status is NodeStatus.OK else "test sums of fct_lmp_daily failed: 2 rows",
        results=(
            NodeResult("fct_lmp_daily", NodeKind.MODEL, "fct_lmp_daily", NodeStatus.OK, 1.5),
            NodeResult("sums", NodeKind.TEST, "fct_lmp_daily", status, 0.1, 2, "2 rows"),
        ),
        freshness=(TableFreshness("store.observation", NodeStatus.OK, AT, 60.0),),
    )


async def test_models_tell_how_they_are_and_what_reaches_them() -> None:
    store = MemoryStore(SystemClock())
    await store.model_log.record(build(1, NodeStatus.FAILED), [PRICES, DAYS])
    async with serving(Settings(), InMemory(store)) as served:
        answer = await served.client.get("/v2/catalog/models")
        days, prices = answer.json()["data"]
        assert (days["name"], days["last_run"], days["tests"]["total"]) == ("dim_market_day", None, 0)
        assert prices["last_run"] == {"run": 1, "at": "2026-01-01T06:00:00Z", "status": "ok", "seconds": 1.5, "message": ""}
        assert prices["tests"] == {"total": 1, "failed": ["sums"], "warned": []}
        assert prices["freshness"][0]["age_s"] == 60.0
        assert prices["datasets"] == [{"source": "nyiso", "dataset": "damlbmp_zone"}]
        reached = await served.client.get("/v2/catalog/models", params={"source": "nyiso"})
        assert [one["name"] for one in reached.json()["data"]] == ["fct_lmp_daily"]
        one = (await served.client.get("/v2/catalog/models/fct_lmp_daily")).json()["data"]
        assert (one["columns"], one["test_results"][0]["failures"]) == ([COLUMN], 2)


async def test_a_model_that_is_not_there_is_named_with_the_nearest() -> None:
    store = MemoryStore(SystemClock())
    await store.model_log.record(build(1, NodeStatus.OK), [PRICES])
    async with serving(Settings(), InMemory(store)) as served:
        answer = await served.client.get("/v2/catalog/models/fct_lmp_dayly")
    assert (answer.status_code, answer.json()["nearest"]) == (404, ["fct_lmp_daily"])


async def test_a_run_is_seen_as_soon_as_it_is_told_of() -> None:
    store = MemoryStore(SystemClock())
    provider = InMemory(store)
    await store.model_log.record(build(1, NodeStatus.FAILED), [PRICES])
    async with serving(Settings(), provider) as served:
        before = [await served.client.get("/v2/catalog/models") for _ in range(2)]
        assert before[1].headers["x-cache"] == "hit"
        await store.model_log.record(build(2, NodeStatus.OK), [PRICES])
        await provider.feed.publish(Change(ChangeKind.MODELS))
        after = await served.client.get("/v2/catalog/models")
        runs = (await served.client.get("/v2/catalog/model-runs", params={"limit": 1})).json()
        rest = await served.client.get("/v2/catalog/model-runs", params={"limit": 1, "cursor": runs["meta"]["next_cursor"]})
    assert [one.json()["data"][0]["tests"]["failed"] for one in (before[1], after)] == [["sums"], []]
    assert [one["run"] for one in runs["data"] + rest.json()["data"]] == [2, 1]
    assert rest.json()["data"][0]["reason"] == "test sums of fct_lmp_daily failed: 2 rows"
