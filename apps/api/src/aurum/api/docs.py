"""``/docs``: the reference, its assets served from here; ``/problems/...``: a page for each problem type."""

from __future__ import annotations

from pathlib import Path

import fastapi_offline
from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response

from aurum.api.problems import ALL_KINDS
from aurum.core.errors import NotFound

router = APIRouter(include_in_schema=False)

_ASSETS = Path(fastapi_offline.__file__).parent / "static"
_SERVED = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")


@router.get("/")
async def root() -> Response:
    """To the reference."""
    return RedirectResponse("/docs")


@router.get("/docs")
async def reference(request: Request) -> Response:
    """The reference of every route, to read and to try."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=request.app.title,
        swagger_js_url="/docs/assets/swagger-ui-bundle.js",
        swagger_css_url="/docs/assets/swagger-ui.css",
        swagger_favicon_url="/docs/assets/favicon.png",
        swagger_ui_parameters={"docExpansion": "list", "tryItOutEnabled": True, "defaultModelsExpandDepth": 0},
    )


@router.get("/docs/assets/{name}")
async def asset(name: str) -> Response:
    """A file of the reference's page."""
    if name not in _SERVED:
        raise NotFound(f"no asset {name!r}")
    return FileResponse(_ASSETS / name, headers={"Cache-Control": "public, max-age=86400"})


@router.get("/problems/{name}")
async def problem_page(request: Request, name: str) -> Response:
    """What a problem type means and what to do about it."""
    if name not in {kind.name for kind in ALL_KINDS}:
        raise NotFound(f"no problem type {name!r}")
    path = request.state.contracts / "problems" / f"{name}.md"
    return PlainTextResponse(path.read_text(encoding="utf-8"), media_type="text/markdown; charset=utf-8")
