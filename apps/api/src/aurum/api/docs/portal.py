"""The contents of the portal, assembled once per application, at the first request for a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aurum.api.docs.markdown import GuidePage, render
from aurum.api.docs.operations import Operation, operations
from aurum.api.docs.search import SearchEntry
from aurum.api.http.problems import ALL_KINDS

_INDEX = "README.md"
"""The index of the guides: they are listed in the order of its links."""


@dataclass(frozen=True, slots=True)
class Portal:
    """The contents of the portal, by name and in the order of their lists.

    ``pictures``: SVG files that guides show. ``statuses``: HTTP statuses of the problem types.
    """

    title: str
    version: str
    guides: Mapping[str, GuidePage]
    pictures: Mapping[str, bytes]
    problems: Mapping[str, GuidePage]
    statuses: Mapping[str, int]
    operations: Sequence[Operation]
    entries: Sequence[SearchEntry]


def open_portal(openapi: Mapping[str, Any], *, guides: Path, contracts: Path) -> Portal:
    """Return the portal for an OpenAPI document. Raises ``FileNotFoundError`` when a problem type has no page."""
    kinds = sorted(ALL_KINDS, key=lambda kind: kind.status)
    pages = [(kind.name, contracts / "problems" / f"{kind.name}.md") for kind in kinds]
    problems = {name: render(name, path.read_text(encoding="utf-8"), folder="problems") for name, path in pages}
    guide_pages = {
        path.stem: render(path.stem, path.read_text(encoding="utf-8"), folder="guides") for path in _in_order(guides)
    }
    listed = operations(openapi)
    info = openapi["info"]
    return Portal(
        title=info["title"],
        version=info["version"],
        guides=guide_pages,
        pictures={path.name: path.read_bytes() for path in guides.glob("*.svg")},
        problems=problems,
        statuses={kind.name: kind.status for kind in kinds},
        operations=listed,
        entries=[*_operation_entries(listed), *_guide_entries(guide_pages.values()), *_problem_entries(problems.values())],
    )


def _in_order(folder: Path) -> list[Path]:
    """Return the files of the guides: those that the index links to, in its order, then the others."""
    index = folder / _INDEX
    text = index.read_text(encoding="utf-8") if index.exists() else ""
    paths = [path for path in folder.glob("*.md") if path.name != _INDEX]
    last = len(text)
    return sorted(paths, key=lambda path: (place if (place := text.find(f"({path.name})")) >= 0 else last, path.name))


def _operation_entries(listed: Iterable[Operation]) -> Iterable[SearchEntry]:
    for one in listed:
        yield SearchEntry("operation", one.summary, one.url, f"{one.method} {one.path} {one.name}", one.text)


def _guide_entries(guides: Iterable[GuidePage]) -> Iterable[SearchEntry]:
    for guide in guides:
        for section in guide.sections:
            own = section.level == 1
            place = "" if own else f"#{section.anchor}"
            yield SearchEntry(
                "guide", section.title, f"/docs/guides/{guide.name}{place}", "" if own else guide.title, section.text
            )


def _problem_entries(problems: Iterable[GuidePage]) -> Iterable[SearchEntry]:
    for problem in problems:
        text = " ".join(section.text for section in problem.sections)
        yield SearchEntry("problem", problem.title, f"/problems/{problem.name}", problem.name, text)
