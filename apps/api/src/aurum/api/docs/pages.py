"""The pages of the portal as HTML: home, results of a search, a guide, problem types, the reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from aurum.api.docs.markdown import GuidePage, render
from aurum.api.docs.operations import Operation
from aurum.api.docs.portal import Portal
from aurum.api.docs.search import Hit

_EXAMPLES = (
    (
        "The day with 25 hours",
        "curl 'http://127.0.0.1:8000/v2/series/nyiso:damlbmp_zone:61761:lmp/observations?start=2025-11-02&end=2025-11-03&tz=market'",
    ),
    (
        "Daily means of the on-peak hours of a week",
        "curl 'http://127.0.0.1:8000/v2/series/nyiso:damlbmp_zone:61761:lmp/observations"
        "?start=2024-06-03&end=2024-06-08&block=ON_PEAK&freq=1d&tz=market'",
    ),
    (
        "Two zones side by side, as CSV",
        "curl 'http://127.0.0.1:8000/v2/observations?series=nyiso:damlbmp_zone:61761:lmp,nyiso:damlbmp_zone:61752:lmp"
        "&start=2025-11-02&end=2025-11-03&layout=wide&format=csv'",
    ),
    ("A list of series", "curl 'http://127.0.0.1:8000/v2/series?market=NYISO&limit=3'"),
)
"""Titles and commands; the sample data has what they request."""

REFERENCE_HEAD = (
    '<link rel="stylesheet" href="/docs/assets/swagger-ui.css">\n'
    '<script src="/docs/assets/swagger-ui-bundle.js" defer></script>\n'
    '<script src="/docs/assets/reference.js" defer></script>\n'
)
REFERENCE = (
    '<main id="reference"><noscript>The reference needs JavaScript; the contract is <a href="/openapi.json">openapi.json</a>.'
)
REFERENCE += "</noscript></main>"


def home(portal: Portal) -> str:
    """Return the body of the start page."""
    return f"""<main class="wide">
<section class="hero">
<h1>{escape(portal.title)}</h1>
<p>Every version of every number that grid operators, agencies and brokers publish, with the time it became known.</p>
</section>
<section><h2 id="guides">Guides</h2><ul class="cards">{"".join(map(_card, portal.guides.values()))}</ul></section>
<section><h2 id="try">Try it</h2>{_examples()}</section>
<section><h2 id="operations">Operations</h2>{_operations(portal.operations)}</section>
<section><h2 id="problems">Problem types</h2>{_problems(portal)}</section>
</main>"""


def results(hits: Sequence[Hit], query: str) -> str:
    """Return the body of the page of search results, which needs no JavaScript."""
    items = "".join(
        f'<li><a href="{escape(hit.entry.url)}">{escape(hit.entry.title)}</a> <span class="kind">{hit.entry.kind}</span>'
        f"<p>{escape(' · '.join(filter(None, (hit.entry.name, hit.excerpt))))}</p></li>"
        for hit in hits
    )
    nothing = "" if hits else '<p>No page has all of these words. <a href="/docs">All documentation</a>.</p>'
    return f'<main class="text"><h1>{escape(query)}</h1><ol class="results">{items}</ol>{nothing}</main>'


def guide(portal: Portal, shown: GuidePage) -> str:
    """Return the body of the page of a guide, with a list of its headings and of the other guides."""
    here = [section for section in shown.sections if section.level == 2]
    inner = "".join(f'<li><a href="#{section.anchor}">{escape(section.title)}</a></li>' for section in here)
    entries = "".join(
        f'<li><a href="/docs/guides/{one.name}"{" aria-current=page" if one is shown else ""}>{escape(one.title)}</a>'
        f"{f'<ul>{inner}</ul>' if one is shown and inner else ''}</li>"
        for one in portal.guides.values()
    )
    return f"""<div class="columns">
<nav class="side" aria-label="Guides"><details open><summary>Guides</summary><ul>{entries}</ul></details></nav>
<main class="text">{shown.html}</main>
</div>"""


def problem(portal: Portal, shown: GuidePage) -> str:
    """Return the body of the page of a problem type: its status, address and explanation."""
    status = portal.statuses[shown.name]
    return f"""<main class="text">
<p class="crumbs"><a href="/problems">Problems</a> · {status} · <code>/problems/{shown.name}</code></p>
{shown.html}</main>"""


def problems(portal: Portal) -> str:
    """Return the body of the page that lists all problem types."""
    intro = (
        "<h1>Problems</h1><p>Every failed request gets an <code>application/problem+json</code> document (RFC 9457). Its "
        '<code>type</code> is one of these pages; <a href="/docs/guides/errors">what to do about them</a> is a guide.</p>'
    )
    return f'<main class="text">{intro}{_problems(portal)}</main>'


def problems_as_markdown(portal: Portal) -> str:
    """Return the list of problem types as Markdown, for programs."""
    lines = [f"* [{portal.statuses[one.name]} {one.title}](/problems/{one.name})" for one in portal.problems.values()]
    return "\n".join(["# Problems", "", *lines, ""])


def _card(one: GuidePage) -> str:
    return f'<li><a href="/docs/guides/{one.name}">{escape(one.title)}</a><p>{escape(one.lead)}</p></li>'


def _examples() -> str:
    return render(
        "examples", "\n\n".join(f"{title}:\n```sh\n{command}\n```" for title, command in _EXAMPLES), folder="guides"
    ).html


def _operations(listed: Iterable[Operation]) -> str:
    def row(one: Operation) -> str:
        method = f'<b class="method {one.method.lower()}">{one.method}</b>'
        path, summary = f"<code>{escape(one.path)}</code>", f"<span>{escape(one.summary)}</span>"
        return f'<li><a href="{escape(one.url)}">{method} {path}{summary}</a></li>'

    groups = groupby(sorted(listed, key=lambda one: one.tag), key=lambda one: one.tag)
    return "".join(f'<h3>{escape(tag)}</h3><ul class="operations">{"".join(map(row, rows))}</ul>' for tag, rows in groups)


def _problems(portal: Portal) -> str:
    rows = "".join(
        f'<li><a href="/problems/{one.name}"><b>{portal.statuses[one.name]}</b> {escape(one.title)}</a></li>'
        for one in portal.problems.values()
    )
    return f'<ul class="problems">{rows}</ul>'
