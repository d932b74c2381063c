"""HTML elements whose texts are escaped: the only way in which values of files, requests and catalogs enter a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def text(value: object) -> str:
    """Return a value as escaped text; None is empty."""
    return "" if value is None else escape(str(value))


def number(count: int) -> str:
    """Return a count with separators of thousands."""
    return f"{count:,}"


def link(target: str, label: str) -> str:
    """Return a link. Both texts are escaped."""
    return f'<a href="{escape(target)}">{escape(label)}</a>'


def table(headers: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. Cells are HTML. A header that begins with ``#`` stands above numbers."""
    names = list(headers)
    are_numbers = [name.startswith("#") for name in names]

    def line(tag: str, cells: Iterable[str]) -> str:
        columns = zip(cells, are_numbers, strict=True)
        return "".join(f"<{tag}{' class=number' if is_number else ''}>{cell}</{tag}>" for cell, is_number in columns)

    head = line("th", (name.removeprefix("#") for name in names))
    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def definitions(facts: Iterable[tuple[str, object]]) -> str:
    """Return a list of names and values, without the empty ones. Values are escaped."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{text(value)}</dd>" for name, value in facts if value not in (None, ""))
    return f'<dl class="facts">{rows}</dl>'
