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
    """The state of a process that answers requests."""

    status: str = "ok"


class Dependency(BaseModel):
    """A dependency of the service, and its state."""

    name: str
    status: str
    detail: str
    needed: bool = Field(
        description="True: the service cannot work without this dependency. False: without it the service is degraded."
    )
    milliseconds: float


class Health(BaseModel):
    """The health of the service.

    `status`: `ok`; `degraded` when only dependencies fail that are not needed; otherwise the status of a needed dependency that
    failed.
    """

    status: str = Field(examples=["ok"])
    dependencies: list[Dependency]


@router.get("/live", operation_id="live", summary="The process is alive", response_model=Live)
async def live() -> Live:
    """Return 200 while the process answers requests."""
    return Live()


@router.get(
    "/ready", operation_id="ready", summary="The service is ready", response_model=Health, responses=problems(Unavailable)
)
async def ready(request: Request) -> Health:
    """Return 200 when the store answers and has a schema that this version supports; otherwise, and while the service shuts
    down, 503.
    """
    if is_draining(request.scope):
        raise Unavailable("the service is shutting down", retry_after=1.0)
    results = await look_at([check for check in services(request).checks if check.needed])
    wrong = [one for one in results if not one.is_ok]
    if wrong:
        raise Unavailable("; ".join(f"{one.check.name}: {one.finding.detail}" for one in wrong), retry_after=1.0)
    return _health(results)


@router.get("/health", operation_id="health", summary="The state of all dependencies", response_model=Health)
async def health(request: Request, response: Response) -> Health:
    """Return the state of every dependency, with the time that its check took; 200 while the process answers requests."""
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
