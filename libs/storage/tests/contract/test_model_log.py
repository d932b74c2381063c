"""The log of models and of their runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aurum.storage.ports.models import ModelEntry, ModelRun, NodeKind, NodeResult, NodeStatus, TableFreshness
from aurum.storage.testing.stores import Store

AT = datetime(2026, 1, 1, tzinfo=UTC)


def entry(
    name: str, *datasets: tuple[str, str], layer: str = "marts", tables: tuple[str, ...] = ("store.series",)
) -> ModelEntry:
    columns = ({"name": "series_id", "type": "integer", "description": "Whose."},)
    return ModelEntry(name, layer, f"What {name} is.", "table", f"marts.{name}", ("stg_series",), tables, datasets, columns)


def run(number: int, *results: NodeResult, freshness: tuple[TableFreshness, ...] = ()) -> ModelRun:
    failed = [result for result in results if result.status is NodeStatus.FAILED]
    return ModelRun(
        invocation=f"run-{number}",
        command="build",
        target="duckdb",
        schema="marts",
        started_at=AT + timedelta(hours=number),
        seconds=2.5,
        succeeded=not failed,
        reason="it failed" if failed else "",
        results=results,
        freshness=freshness,
    )


def built(name: str, status: NodeStatus = NodeStatus.OK) -> NodeResult:
    return NodeResult(name, NodeKind.MODEL, name, status, 0.5)


def result_of(node: str, name: str, status: NodeStatus, failures: int) -> NodeResult:
    return NodeResult(node, NodeKind.TEST, name, status, 0.1, failures, "" if status is NodeStatus.OK else "rows found")


async def test_a_model_is_as_its_last_run_left_it(store: Store) -> None:
    log = store.model_log
    models = [entry("b", ("nyiso", "pal")), entry("a")]
    await log.record(
        run(1, built("a"), result_of("t1", "a", NodeStatus.FAILED, 3), result_of("t2", "a", NodeStatus.OK, 0)), models
    )
    second = await log.record(run(2, built("a", NodeStatus.SKIPPED), result_of("t1", "a", NodeStatus.OK, 0)), models)
    a, b = await log.models()
    assert (a.entry, b.entry) == (models[1], models[0])
    assert a.built is not None
    assert (a.built.run_id, a.built.at, a.built.result) == (second, AT + timedelta(hours=2), built("a", NodeStatus.SKIPPED))
    assert [(test.node, test.status) for test in a.tests] == [("t1", NodeStatus.OK), ("t2", NodeStatus.OK)]
    assert (b.built, b.tests) == (None, ())


async def test_freshness_is_that_of_the_tables_below_a_model(store: Store) -> None:
    old = TableFreshness("store.series", NodeStatus.WARNED, AT, 7200.0)
    new = TableFreshness("store.series", NodeStatus.OK, AT + timedelta(hours=1), 60.0)
    other = TableFreshness("store.ingest_file", NodeStatus.FAILED, None, None)
    models = [entry("a"), entry("b", tables=("store.block_hour",))]
    await store.model_log.record(run(1, freshness=(old, other)), models)
    await store.model_log.record(run(2, freshness=(new,)), models)
    a, b = await store.model_log.models()
    assert (a.freshness, b.freshness) == ((new,), ())


async def test_models_are_found_by_what_reaches_them(store: Store) -> None:
    prices = entry("prices", ("nyiso", "damlbmp_zone"), ("pjm", "da_hrl_lmps"))
    await store.model_log.record(run(1), [prices, entry("loads", ("nyiso", "pal")), entry("raw", layer="staging")])

    async def names(**by: str) -> list[str]:
        return [state.entry.name for state in await store.model_log.models(**by)]

    assert await names(source="nyiso") == ["loads", "prices"]
    assert await names(source="nyiso", dataset="pal") == ["loads"]
    assert await names(source="pjm", dataset="pal") == [], "the two are of one dataset"
    assert await names(layer="staging") == ["raw"]
    assert await names(name="prices") == ["prices"]


async def test_a_removed_model_is_gone_and_a_run_without_models_leaves_them(store: Store) -> None:
    await store.model_log.record(run(1), [entry("a"), entry("b", ("nyiso", "pal"))])
    await store.model_log.record(run(2), [entry("b")])
    await store.model_log.record(run(3), None)
    (b,) = await store.model_log.models()
    assert (b.entry.name, b.entry.datasets) == ("b", ())


async def test_runs_come_newest_first_and_each_once(store: Store) -> None:
    log = store.model_log
    ids = [await log.record(run(number, built("a"), result_of("t", "a", NodeStatus.FAILED, 1)), []) for number in (1, 2, 3)]
    assert await log.record(run(2), []) == ids[1], "the same invocation"
    first = await log.runs_page(before=None, limit=2)
    assert [run.run_id for run in first] == [ids[2], ids[1]]
    assert (first[0].command, first[0].succeeded, first[0].reason, first[0].counts) == (
        "build",
        False,
        "it failed",
        {"ok": 1, "failed": 1},
    )
    assert [run.run_id for run in await log.runs_page(before=ids[1], limit=2)] == [ids[0]]
