"""``/v2/catalog/models``: models over the store, their inputs, and the results of their builds and tests."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.filters import DatasetFilter, SourceFilter
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.models import schemas
from aurum.core.access import Permission
from aurum.core.errors import NotFound
from aurum.services.catalog import model_named
from aurum.storage.ports.models import ModelState, NodeResult, NodeStatus

router = FeatureRouter(
    reads=Policy(Permission.CATALOG_READ, is_shared=True, cached=CacheRule(DataClass.LIVE, ("models",))),
    prefix="/v2/catalog",
    tags=["models"],
    dependencies=[Depends(known_only)],
)


@router.get("/models", operation_id="listModels", summary="List models", responses=problems())
async def list_models(
    request: Request,
    layer: Annotated[
        Text | None, Query(description="Only models of this layer: `staging`, `intermediate` or `marts`.", examples=["marts"])
    ] = None,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
) -> schemas.ModelList:
    """List models, ascending by name, with their last build, the results of their tests, the freshness of the tables that
    they read, and the datasets whose series they use."""
    models = await services(request).store.models.models(layer=layer, source=source, dataset=dataset)
    return schemas.ModelList(data=[_model(one) for one in models])


@router.get("/models/{model}", operation_id="readModel", summary="Read a model", responses=problems(NotFound))
async def read_model(
    request: Request, model: Annotated[Text, Path(description="Name of the model.", examples=["fct_lmp_daily"])]
) -> schemas.ModelDetail:
    """Return a model with its columns and the last result of each of its tests."""
    state = await model_named(services(request).store.models, model)
    return schemas.ModelDetail(
        data=schemas.ModelDetailDocument(
            **_model(state).model_dump(),
            columns=[schemas.ColumnDocument.model_validate(dict(column)) for column in state.entry.columns],
            test_results=[_test(result) for result in state.tests],
        )
    )


@router.get("/model-runs", operation_id="listModelRuns", summary="List model runs", responses=problems())
async def list_model_runs(
    request: Request, response: Response, limit: Limit = 100, cursor: Cursor = None
) -> schemas.ModelRunPage:
    """List runs of the models, newest first, with their commands, results and reasons of failure."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    runs = await services(request).store.models.runs_page(before=_run_id(page.after, cursor), limit=page.limit + 1)
    meta = page_meta(request, response, page, runs, lambda one: (str(one.run_id),))
    data = [
        schemas.ModelRunDocument(
            run=one.run_id,
            command=one.command,
            target=one.target,
            database_schema=one.schema,
            started_at=one.started_at,
            seconds=one.seconds,
            succeeded=one.succeeded,
            reason=one.reason,
            counts=dict(one.counts),
        )
        for one in runs[: page.limit]
    ]
    return schemas.ModelRunPage.model_validate({"data": data, "meta": meta})


def _run_id(after: list[str] | None, cursor: str | None) -> int | None:
    if after is None:
        return None
    if not after[0].isdecimal():
        raise InvalidParameters(("cursor", "the cursor belongs to another list: use meta.next_cursor of this one", cursor))
    return int(after[0])


def _model(state: ModelState) -> schemas.ModelDocument:
    entry = state.entry
    built = state.built
    return schemas.ModelDocument(
        name=entry.name,
        layer=entry.layer,
        description=entry.description,
        materialized=entry.materialized,
        relation=entry.relation,
        depends_on=list(entry.depends_on),
        datasets=[schemas.DatasetName(source=source, dataset=dataset) for source, dataset in entry.datasets],
        last_run=None
        if built is None
        else schemas.BuiltDocument(
            run=built.run_id,
            at=built.at,
            status=built.result.status,
            seconds=built.result.seconds,
            message=built.result.message,
        ),
        tests=schemas.TestTally(
            total=len(state.tests),
            failed=[one.node for one in state.tests if one.status is NodeStatus.FAILED],
            warned=[one.node for one in state.tests if one.status is NodeStatus.WARNED],
        ),
        freshness=[
            schemas.FreshnessDocument(table=one.table, status=one.status, newest=one.newest, age_s=one.age_s)
            for one in state.freshness
        ],
    )


def _test(result: NodeResult) -> schemas.TestDocument:
    return schemas.TestDocument(
        name=result.node, kind=result.kind, status=result.status, failures=result.failures, message=result.message
    )
