"""The layout of every page: the head with its assets, and the bar with links and search."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse

from aurum.api.handlers.services import services
from aurum.api.http.request_state import state_of

PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self';"
    b" base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of pages: nothing inline, nothing from another host.

``data:``: icons in the reference's style sheet.
"""

_CACHE = "public, max-age=60"
_LINKS = (
    ("/docs", "Home"),
    ("/docs/reference", "Reference"),
    ("/problems", "Problems"),
    ("/docs/quality", "Quality"),
    ("/openapi.json", "openapi.json"),
)


def page(request: Request, title: str, body: str, *, query: str = "", head: str = "", cache: str = _CACHE) -> HTMLResponse:
    """Return an HTML response that may load assets of this service and nothing else.

    ``query``: the text in the search box. ``head``: further elements of the head. ``cache``: its ``Cache-Control``.
    """
    state_of(request.scope).content_policy = PAGE_POLICY
    content = html_page(request.url.path, title, body, query=query, head=head, takes_key=not services(request).public)
    return HTMLResponse(content, headers={"Cache-Control": cache, "Vary": "Accept"})


def html_page(path: str, title: str, body: str, *, query: str = "", head: str = "", takes_key: bool = False) -> str:
    """Return a whole page around a body. ``path``: of the page, whose link in the bar is marked.

    ``takes_key``: the bar has a place for a box in which a reader enters an API key for the examples. ``portal.js`` makes the
    box, so that without scripts no form can send a key anywhere.
    """
    keys = '<div id="keys" class="keys"></div>\n' if takes_key else ""
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
{keys}<form class="search" role="search" action="/docs">
<input id="search" name="q" type="search" value="{escape(query)}" placeholder="Search" aria-label="Search everything"
 maxlength="200" autocomplete="off" spellcheck="false">
<ol id="found" class="found" hidden></ol>
</form>
</header>
{body}
</body>
</html>
"""
