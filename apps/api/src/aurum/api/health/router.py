"""``/live``, ``/ready``, ``/health``: for those who run the service."""

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
    """What the service works with, and how it is."""

    name: str
    status: str
    detail: str
    needed: bool = Field(description="Without it the service cannot serve; without the others it serves worse.")
    milliseconds: float


class Health(BaseModel):
    """All dependencies: `ok` when all are; `degraded` when one is not that can be done without; else what is wrong."""

    status: str = Field(examples=["ok"])
    dependencies: list[Dependency]


@router.get("/live", operation_id="live", summary="The process answers", response_model=Live)
async def live() -> Live:
    """200 as long as the process can answer at all."""
    return Live()


@router.get(
    "/ready", operation_id="ready", summary="The service can serve", response_model=Health, responses=problems(Unavailable)
)
async def ready(request: Request) -> Health:
    """200 when the store answers and has the schema this version needs; else 503, and 503 once the service is told to stop."""
    if is_draining(request.scope):
        raise Unavailable("the service is being stopped", retry_after=1.0)
    found = await look_at([check for check in services(request).checks if check.needed])
    wrong = [one for one in found if not one.is_ok]
    if wrong:
        raise Unavailable("; ".join(f"{one.check.name}: {one.finding.detail}" for one in wrong), retry_after=1.0)
    return _health(found)


@router.get("/health", operation_id="health", summary="The state of everything the service works with", response_model=Health)
async def health(request: Request, response: Response) -> Health:
    """The state of every dependency, with how long the look took; always 200 while the process answers."""
    response.headers["Cache-Control"] = "no-store"
    return _health(await look_at(services(request).checks))


def _health(found: list[Looked]) -> Health:
    wrong = [one for one in found if not one.is_ok]
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
            for one in found
        ],
    )
