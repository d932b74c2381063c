"""Finds parsers that read dates, numbers, ids or JSON by themselves, and not through ``pipelines.reading``, in their syntax."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from aurum.pipelines.source import FileFormat

FORBIDDEN: Mapping[str, str] = MappingProxyType(
    {
        "to_datetime": "reading.dates",
        "to_date": "reading.dates",
        "to_time": "reading.dates",
        "strptime": "reading.dates",
        "fromisoformat": "reading.dates",
        "fromtimestamp": "reading.dates",
        "to_integer": "reading.numbers",
        "to_decimal": "reading.numbers",
        "float": "reading.numbers",
        "loads": "reading.json_text",
        "json_decode": "reading.json_text",
    }
)
"""Names of functions that a parser does not call, and the module of ``pipelines`` that it calls instead."""
READERS = ("aurum.pipelines.reading.dates", "aurum.pipelines.reading.numbers")
"""The modules that every parser reaches."""


def own_readings(folder: Path) -> Iterator[str]:
    """Yield a line for each call in the modules of a folder that reads a date, a number or JSON by itself."""
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        for node in _nodes(path):
            if not isinstance(node, ast.Call):
                continue
            if (function := _called(node)) in FORBIDDEN:
                yield f"{name}, line {node.lineno}: {function} reads by itself: use aurum.pipelines.{FORBIDDEN[function]}"
            elif _is_cast_of_text(node):
                yield f"{name}, line {node.lineno}: cast reads by itself: use aurum.pipelines.reading.numbers"


def unreached_readers(file_format: FileFormat) -> list[str]:
    """Return those of ``READERS`` that the module of a parser does not import, through others of its package or of Aurum."""
    parse = getattr(file_format.parse, "func", file_format.parse)
    module = str(parse.__module__)
    package = module.partition(".")[0]
    seen: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        path = _path_of(name)
        if name in seen or path is None:
            continue
        seen.add(name)
        todo += [each for each in _imports(path) if each.startswith(("aurum.pipelines.", f"{package}."))]
    return [reader for reader in READERS if reader not in seen]


def _path_of(module: str) -> Path | None:
    """Return the file of an imported module; None for a package, and for a name that is none of a module."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file) if file is not None and Path(file).name != "__init__.py" else None


@cache
def _nodes(path: Path) -> list[ast.AST]:
    """Return every node of a module, read once, because most modules are reached from several parsers."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def _imports(path: Path) -> frozenset[str]:
    plain = {name.name for node in _nodes(path) if isinstance(node, ast.Import) for name in node.names}
    of = [node for node in _nodes(path) if isinstance(node, ast.ImportFrom) and node.module]
    return frozenset(
        plain | {str(node.module) for node in of} | {f"{node.module}.{name.name}" for node in of for name in node.names}
    )


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def _is_cast_of_text(node: ast.Call) -> bool:
    """Return whether a call casts to floats, or forgives what it cannot read: both are of texts."""
    if _called(node) != "cast":
        return False
    to = ast.unparse(node.args[0]) if node.args else ""
    forgiving = any(keyword.arg == "strict" and ast.unparse(keyword.value) == "False" for keyword in node.keywords)
    return to.startswith("pl.Float") or (forgiving and to.startswith("pl."))
