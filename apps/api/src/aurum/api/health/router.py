"""``/live``, ``/ready``, ``/health``: for those who run the service."""

from __future__ import annotations

import time

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.problems import problems
from aurum.api.services import services
from aurum.core.errors import Unavailable

router = APIRouter(tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: str = "ok"


class Dependency(BaseModel):
    """What the service needs, and how it is."""

    name: str
    status: str
    detail: str
    milliseconds: float


class Health(BaseModel):
    """All dependencies; `ok` when all are."""

    status: str
    dependencies: list[Dependency]


@router.get("/live", operation_id="live", summary="The process answers", response_model=Live)
async def live() -> Live:
    """200 as long as the process can answer at all."""
    return Live()


@router.get(
    "/ready", operation_id="ready", summary="The service can serve", response_model=Health, responses=problems(Unavailable)
)
async def ready(request: Request) -> Health:
    """200 when the store answers and has the schema this version needs; else 503."""
    found = await _look(request)
    if found.status != "ok":
        raise Unavailable("; ".join(f"{one.name}: {one.detail}" for one in found.dependencies), retry_after=1.0)
    return found


@router.get("/health", operation_id="health", summary="The state of everything the service needs", response_model=Health)
async def health(request: Request, response: Response) -> Health:
    """The state of every dependency, with how long the look took; always 200 while the process answers."""
    response.headers["Cache-Control"] = "no-store"
    return await _look(request)


async def _look(request: Request) -> Health:
    started = time.perf_counter()
    try:
        state = await services(request).probe.look()
    except Unavailable as error:
        status, detail = "unavailable", error.detail
    else:
        status = "ok" if state.is_current else "not migrated"
        detail = f"schema {state.schema or 'none'}" + ("" if state.is_current else f", needs {state.newest_schema}")
    took = (time.perf_counter() - started) * 1000
    return Health(
        status=status, dependencies=[Dependency(name="store", status=status, detail=detail, milliseconds=round(took, 3))]
    )
