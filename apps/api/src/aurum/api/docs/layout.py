"""The frame around every page: what is loaded, the bar with the search, the footer."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse

from aurum.api.http.request_state import state_of

PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self';"
    b" base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere. ``data:``: the icons in the reference's own style sheet."""

_CACHE = "public, max-age=60"
_LINKS = (
    ("/docs", "Home"),
    ("/docs/reference", "Reference"),
    ("/problems", "Problems"),
    ("/docs/quality", "Quality"),
    ("/openapi.json", "openapi.json"),
)


def page(request: Request, title: str, body: str, *, query: str = "", head: str = "", cache: str = _CACHE) -> HTMLResponse:
    """An HTML answer that may load what is served from here and nothing else. ``head``: further elements of it.

    ``cache``: its ``Cache-Control``.
    """
    state_of(request.scope).content_policy = PAGE_POLICY
    return HTMLResponse(_html(request.url.path, title, body, query, head), headers={"Cache-Control": cache, "Vary": "Accept"})


def _html(path: str, title: str, body: str, query: str, head: str) -> str:
    links = "".join(f'<a href="{target}"{" aria-current=page" if target == path else ""}>{text}</a>' for target, text in _LINKS)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)} · Aurum</title>
<link rel="icon" href="/docs/assets/aurum.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/assets/portal.css">
{head}<script src="/docs/assets/portal.js" defer></script>
</head>
<body>
<header class="bar">
<a class="brand" href="/docs"><img src="/docs/assets/aurum.svg" alt="" width="22" height="22">Aurum</a>
<nav aria-label="Documentation">{links}</nav>
<form class="search" role="search" action="/docs">
<input id="search" name="q" type="search" value="{escape(query)}" placeholder="Search" aria-label="Search everything"
 maxlength="200" autocomplete="off" spellcheck="false">
<ol id="found" class="found" hidden></ol>
</form>
</header>
{body}
</body>
</html>
"""
