"""XML files as trees of elements, read without entities, network access or unbounded size.

The one module that touches lxml, which ships no types: what leaves here is an ``Element``, the few methods that are used.
"""

# lxml is compiled and has no stubs, so everything of it is unknown to the checker; the casts below are the border.
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, cast

from lxml import etree

from aurum.pipelines.source import RefusedFile, SourceFile


class Element(Protocol):
    """One element. Tags and paths take ``{*}name`` for a name in any namespace."""

    @property
    def tag(self) -> str: ...
    @property
    def sourceline(self) -> int: ...
    def findtext(self, path: str) -> str | None: ...
    def iter(self, tag: str) -> Iterator[Element]: ...
    def iterfind(self, path: str) -> Iterator[Element]: ...


def read_xml(document: SourceFile) -> Element:
    """The root element. Raises ``RefusedFile`` when the file is empty or not well-formed, with the line that shows it."""
    if not document.content.strip():
        raise RefusedFile("the file is empty")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return cast("Element", etree.fromstring(document.content, parser))
    except etree.XMLSyntaxError as error:
        raise RefusedFile(f"not well-formed XML: {error.msg}", line=error.lineno) from error


def text_at(element: Element, path: str) -> str | None:
    """The text at a path of names (``DocHeader/CreatedAt``), in any namespace, outer blanks off; None if empty or absent."""
    return column((element,), path)[0]


def column(elements: Iterable[Element], path: str) -> list[str | None]:
    """``text_at`` of each element: one column of a table."""
    anywhere = "/".join(f"{{*}}{name}" for name in path.split("/"))
    return [(element.findtext(anywhere) or "").strip() or None for element in elements]


def markup(element: Element) -> str:
    """The element as it stands in the file, namespaces left out of the tags it holds."""
    return cast("bytes", etree.tostring(element, with_tail=False)).decode()
