"""The page that a browser shows for a failed request: a problem document (RFC 9457) in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

from aurum.api.http.problems import TYPES
from aurum.api.pages.html import definitions, link, table, text

_GUIDE = "/docs/guides/errors"
_ADVICE: Mapping[int, str] = {
    401: "A browser sends no API key. The reference lets you enter one, and so does every HTTP client.",
    404: "Search the documentation above, or start from the list of series.",
    429: "Wait, then repeat the request.",
    503: "The service answers again as soon as what it depends on does. Repeat the request in a moment.",
}
"""The next step of a reader, by status."""


def error_page(document: Mapping[str, Any]) -> str:
    """Return the body of the page for a problem document."""
    status = int(document["status"])
    kind = str(document.get("type", ""))
    explanation = link(kind if kind.startswith(TYPES) else _GUIDE, "What this means and what to do")
    advice = _advice(status, document.get("retry_after"))
    next_step = f"<p>{text(advice)}</p>" if advice else ""
    facts = definitions((("Request id", document.get("request_id")), ("Path", document.get("instance"))))
    return f"""<main class="text">
<p class="crumbs">{status} · {text(kind)}</p>
<h1>{text(document["title"])}</h1>
<p class="notice bad">{text(document["detail"])}</p>
{_errors(document.get("errors"))}{_nearest(document.get("nearest"))}{next_step}
<p>{explanation} · {link("/v2/series", "List of series")} · {link("/docs", "Documentation")}</p>
{facts}
</main>"""


def _advice(status: int, retry_after: object) -> str | None:
    if status == HTTPStatus.TOO_MANY_REQUESTS and isinstance(retry_after, int | float):
        seconds = max(1, math.ceil(retry_after))
        return f"Repeat the request in {seconds} {'second' if seconds == 1 else 'seconds'}."
    return _ADVICE.get(status)


def _errors(errors: object) -> str:
    if not isinstance(errors, Sequence) or isinstance(errors, str) or not errors:
        return ""
    entries = [cast("Mapping[str, object]", error) for error in errors if isinstance(error, Mapping)]
    return table(
        ("Parameter", "Error", "Value"),
        ([text(error.get("field")), text(error.get("message")), text(error.get("value"))] for error in entries),
    )


def _nearest(names: object) -> str:
    if not isinstance(names, Sequence) or isinstance(names, str) or not names:
        return ""
    return f"<p>Nearest: {', '.join(f'<code>{text(name)}</code>' for name in names)}</p>"
