"""``/live``, ``/ready``, ``/health``: for orchestrators and operators."""

from __future__ import annotations

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.health_checks import Looked, look_at
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.process.drain import is_draining
from aurum.api.routing.policy import PUBLIC
from aurum.api.routing.router import FeatureRouter
from aurum.core.errors import Unavailable

router = FeatureRouter(reads=PUBLIC, tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: str = "ok"


class Dependency(BaseModel):
    """A dependency of the service, and its state."""

    name: str
    status: str
    detail: str
    needed: bool = Field(description="The service cannot work without it; without other dependencies it is degraded.")
    milliseconds: float


class Health(BaseModel):
    """All dependencies. `status`: `ok` when all are; `degraded` when only some that are not needed fail; else what is wrong."""

    status: str = Field(examples=["ok"])
    dependencies: list[Dependency]


@router.get("/live", operation_id="live", summary="The process is alive", response_model=Live)
async def live() -> Live:
    """200 as long as the process can answer at all."""
    return Live()


@router.get(
    "/ready", operation_id="ready", summary="The service is ready", response_model=Health, responses=problems(Unavailable)
)
async def ready(request: Request) -> Health:
    """200 when the store answers and has a schema that this version supports; else 503, also while the service shuts down."""
    if is_draining(request.scope):
        raise Unavailable("the service is shutting down", retry_after=1.0)
    results = await look_at([check for check in services(request).checks if check.needed])
    wrong = [one for one in results if not one.is_ok]
    if wrong:
        raise Unavailable("; ".join(f"{one.check.name}: {one.finding.detail}" for one in wrong), retry_after=1.0)
    return _health(results)


@router.get("/health", operation_id="health", summary="The state of all dependencies", response_model=Health)
async def health(request: Request, response: Response) -> Health:
    """The state of every dependency, with the time its check took; always 200 while the process answers."""
    response.headers["Cache-Control"] = "no-store"
    return _health(await look_at(services(request).checks))


def _health(results: list[Looked]) -> Health:
    wrong = [one for one in results if not one.is_ok]
    needed = next((one.finding.status for one in wrong if one.check.needed), None)
    return Health(
        status=needed or ("degraded" if wrong else "ok"),
        dependencies=[
            Dependency(
                name=one.check.name,
                status=one.finding.status,
                detail=one.finding.detail,
                needed=one.check.needed,
                milliseconds=round(one.seconds * 1000, 3),
            )
            for one in results
        ],
    )
