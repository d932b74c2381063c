"""XML files read into trees of elements, with no entities resolved, no network access and bounded size.

This is the only module that uses lxml, which ships no types: other modules see ``Element``, a protocol of the methods in use.
"""

# lxml is compiled and has no stubs, so the type checker knows nothing of it; the casts below give its values their types.
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, cast

from lxml import etree

from aurum.pipelines.source import RefusedFile, SourceFile


class Element(Protocol):
    """One XML element. Tags and paths accept ``{*}name`` for a name in any namespace."""

    @property
    def tag(self) -> str: ...
    @property
    def sourceline(self) -> int: ...
    def findtext(self, path: str) -> str | None: ...
    def iter(self, tag: str) -> Iterator[Element]: ...
    def iterfind(self, path: str) -> Iterator[Element]: ...


def read_xml(document: SourceFile) -> Element:
    """Return the root element.

    Raises ``RefusedFile``, with the line if known, when the file is empty or not well-formed; ``MemoryError`` when the tree
    does not fit into the memory.
    """
    if not document.content.strip():
        raise RefusedFile("the file is empty")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return cast("Element", etree.fromstring(document.content, parser))
    except etree.XMLSyntaxError as error:
        if not error.lineno:
            raise MemoryError from error  # libxml2 gives no other sign
        raise RefusedFile(f"not well-formed XML: {error.msg}", line=error.lineno) from error


def text_at(element: Element, path: str) -> str | None:
    """Return the stripped text at a path of names (``DocHeader/CreatedAt``) in any namespace; None if empty or absent."""
    return column((element,), path)[0]


def column(elements: Iterable[Element], path: str) -> list[str | None]:
    """Return ``text_at`` of each element, as one column of a table."""
    anywhere = "/".join(f"{{*}}{name}" for name in path.split("/"))
    return [(element.findtext(anywhere) or "").strip() or None for element in elements]


def markup(element: Element) -> str:
    """Return the element as markup; namespace declarations are on its outer tag only."""
    return cast("bytes", etree.tostring(element, with_tail=False)).decode()
