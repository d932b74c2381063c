"""``/docs``: home with search, guides and the reference. ``/problems``: a page for each problem type. All assets are local."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from fastapi import Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from aurum.api.docs import pages
from aurum.api.docs.markdown import GuidePage
from aurum.api.docs.portal import Portal, open_portal
from aurum.api.docs.search import Hit, search, series_hits
from aurum.api.handlers.services import services
from aurum.api.pages.accept import prefers
from aurum.api.pages.assets import ASSETS
from aurum.api.pages.layout import page
from aurum.api.routing.policy import PUBLIC
from aurum.api.routing.router import FeatureRouter
from aurum.core.errors import NotFound, Unavailable

router = FeatureRouter(reads=PUBLIC, include_in_schema=False)

_SERIES = 10
"""Series on the page of results."""
Words = Annotated[str, Query(max_length=200)]


async def portal_of(request: Request) -> Portal:
    """Return the portal of the application. The first request makes it in a thread, so that other requests do not wait."""
    state = request.app.state
    if not hasattr(state, "portal"):
        guides = request.state.guides
        state.portal = await run_in_threadpool(_make, request, guides)
    return state.portal


def _make(request: Request, guides: Path) -> Portal:
    return open_portal(request.app.openapi(), guides=guides, contracts=request.state.contracts)


@router.get("/")
async def root() -> Response:
    """Redirect to the documentation."""
    return RedirectResponse("/docs")


@router.get("/docs")
async def home(request: Request, q: Words = "") -> Response:
    """Return the start page, or the results of a search for ``q``."""
    portal = await portal_of(request)
    if not q.strip():
        return page(request, "Documentation", pages.home(portal))
    return page(request, q, pages.results([*search(portal.entries, q), *await _series(request, q, most=_SERIES)], q), query=q)


@router.get("/docs/search")
async def search_entries(request: Request, q: Words = "") -> Response:
    """Return the results of a search as JSON, for the search box."""
    hits = [*search((await portal_of(request)).entries, q, most=8), *await _series(request, q, most=4)]
    results = [
        {"kind": hit.entry.kind, "title": hit.entry.title, "url": hit.entry.url, "name": hit.entry.name, "excerpt": hit.excerpt}
        for hit in hits
    ]
    return JSONResponse(results)


async def _series(request: Request, query: str, *, most: int) -> list[Hit]:
    """Return matching series; none while the store is unavailable.

    None either where the catalog is not public, because these pages take no credential.
    """
    service = services(request)
    if not service.public:
        return []
    try:
        return await series_hits(service.store.catalog.reader, service.store.catalog.search, query, most=most)
    except Unavailable:
        # Guides are read most while something is broken.
        return []


@router.get("/docs/reference")
async def reference(request: Request) -> Response:
    """Return the reference: every operation, with a form to try it."""
    return page(request, "Reference", pages.REFERENCE, head=pages.REFERENCE_HEAD)


@router.get("/docs/guides")
async def guides() -> Response:
    """Redirect to the list of guides."""
    return RedirectResponse("/docs#guides")


@router.get("/docs/guides/{name}")
async def guide(request: Request, name: str) -> Response:
    """Return a guide as a page, or as Markdown for clients that prefer it."""
    portal = await portal_of(request)
    shown = _named(portal.guides, name, "guide")
    if prefers(request, "text/markdown", over="text/html"):
        return _as_markdown(shown.source)
    return page(request, shown.title, pages.guide(portal, shown))


@router.get("/docs/assets/{name}")
async def asset(request: Request, name: str) -> Response:
    """Return a file that pages load, or a picture of a guide."""
    headers = {"Cache-Control": "public, max-age=3600"}
    if name in ASSETS:
        return FileResponse(ASSETS[name], headers=headers)
    pictures = (await portal_of(request)).pictures
    if name not in pictures:
        raise NotFound(f"no asset {name!r}")
    return Response(pictures[name], media_type="image/svg+xml", headers=headers)


@router.get("/problems")
async def problems(request: Request) -> Response:
    """Return all problem types: a page for browsers, Markdown for other clients."""
    portal = await portal_of(request)
    if prefers(request, "text/html", over="text/markdown"):
        return page(request, "Problems", pages.problems(portal))
    return _as_markdown(pages.problems_as_markdown(portal))


@router.get("/problems/{name}")
async def problem(request: Request, name: str) -> Response:
    """Return the explanation of a problem type: a page for browsers, Markdown for other clients."""
    portal = await portal_of(request)
    shown = _named(portal.problems, name, "problem type")
    if prefers(request, "text/html", over="text/markdown"):
        return page(request, shown.title, pages.problem(portal, shown))
    return _as_markdown(shown.source)


def _named(documents: Mapping[str, GuidePage], name: str, kind: str) -> GuidePage:
    if name not in documents:
        raise NotFound(f"no {kind} {name!r}")
    return documents[name]


def _as_markdown(source: str) -> Response:
    return Response(source, media_type="text/markdown; charset=utf-8", headers={"Vary": "Accept"})
