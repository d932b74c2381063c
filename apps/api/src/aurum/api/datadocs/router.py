"""``/docs/quality``: data docs as pages of the portal. They show rows of data, so they need the permission of the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import Path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.datadocs.contents import overview, read_documents, suite_view
from aurum.api.datadocs.views import overview_page, suite_page, validation_page
from aurum.api.handlers.services import services
from aurum.api.pages.layout import page
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.common.plugins import installed_plugins
from aurum.core.access import Permission
from aurum.core.catalog.expectations import SuiteDocument

_HOME = "/docs/quality"
_CACHE = "private, no-cache"

router = FeatureRouter(reads=Policy(Permission.CATALOG_READ), prefix=_HOME, include_in_schema=False)


class _Served:
    """Links between pages of this service."""

    home = _HOME

    def suite(self, name: str) -> str:
        return f"{_HOME}/suites/{quote(name, safe='')}"

    def validation(self, validation_id: int) -> str:
        return f"{_HOME}/validations/{validation_id}"


async def documents_of(request: Request) -> Mapping[str, SuiteDocument]:
    """Return the suites of the contracts and of installed plugins.

    The first request reads them in a thread, so that other requests do not wait.
    """
    state = request.app.state
    if not hasattr(state, "suites"):
        state.suites = await run_in_threadpool(lambda: read_documents(request.state.contracts, installed_plugins()))
    return state.suites


@router.get("")
async def home(request: Request) -> Response:
    """Return the page of all suites with their latest checks."""
    shown = await overview(await documents_of(request), services(request).store.quality.validations)
    return page(request, "Data docs", overview_page(shown, _Served()), cache=_CACHE)


@router.get("/suites/{suite:path}")
async def suite(request: Request, suite: Annotated[str, Path(max_length=2000, pattern=r"^[^\x00]*$")]) -> Response:
    """Return the page of one suite: its expectations and latest checks."""
    shown = await suite_view(suite, await documents_of(request), services(request).store.quality.validations)
    return page(request, suite, suite_page(shown, _Served()), cache=_CACHE)


@router.get("/validations/{validation_id}")
async def validation(request: Request, validation_id: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Response:
    """Return the page of one check, with all outcomes."""
    shown = await services(request).store.quality.validations.validation(validation_id)
    return page(request, f"Check {validation_id}", validation_page(shown, _Served()), cache=_CACHE)
