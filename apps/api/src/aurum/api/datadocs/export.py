"""Data docs as files: the same pages in a folder, with relative links, readable without a server."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from aurum.api.datadocs.contents import overview, read_documents, suite_view
from aurum.api.datadocs.views import overview_page, suite_page, validation_page
from aurum.api.pages.assets import OWN_ASSETS
from aurum.common.plugins import installed_plugins
from aurum.storage.ports.quality import ValidationLog

_STYLE, _ICON = "portal.css", "aurum.svg"


@dataclass(frozen=True, slots=True)
class _Files:
    """Links between files. ``up``: path from the page with the link to the folder of all pages."""

    up: str

    @property
    def home(self) -> str:
        return f"{self.up}index.html"

    def suite(self, name: str) -> str:
        # Quoted twice: for the name of the file, and for the address.
        return f"{self.up}suites/{quote(_file_name(name))}"

    def validation(self, validation_id: int) -> str:
        return f"{self.up}validations/{validation_id}.html"


async def write_site(folder: Path, *, contracts: Path, log: ValidationLog) -> int:
    """Write the first page and every page that a page links to. Returns their number. Raises ``Unavailable``, ``OSError``."""
    documents = read_documents(contracts, installed_plugins())
    shown = await overview(documents, log)
    pages = {"index.html": ("Data docs", overview_page(shown, _Files("")), "")}
    listed = {one.validation_id for one in shown.failures}
    for state in shown.suites:
        view = await suite_view(state.name, documents, log)
        listed |= {one.validation_id for one in view.history}
        pages[f"suites/{_file_name(state.name)}"] = (state.name, suite_page(view, _Files("../")), "../")
    for validation_id in sorted(listed):
        body = validation_page(await log.validation(validation_id), _Files("../"))
        pages[f"validations/{validation_id}.html"] = (f"Check {validation_id}", body, "../")
    for name in ("suites", "validations"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in (_STYLE, _ICON):
        (folder / name).write_bytes((OWN_ASSETS / name).read_bytes())
    for name, (title, body, up) in pages.items():
        (folder / name).write_text(_html(title, body, up), encoding="utf-8")
    return len(pages)


def _file_name(suite: str) -> str:
    return f"{quote(suite, safe='')}.html"


def _html(title: str, body: str, up: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self' file:; img-src 'self' file:">
<title>{escape(title)} · Aurum</title>
<link rel="icon" href="{up}{_ICON}" type="image/svg+xml">
<link rel="stylesheet" href="{up}{_STYLE}">
</head>
<body>
<header class="bar">
<a class="brand" href="{up}index.html"><img src="{up}{_ICON}" alt="" width="22" height="22">Aurum</a>
</header>
{body}
</body>
</html>
"""
