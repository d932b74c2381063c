"""No parser reads dates, numbers, ids or JSON by itself."""

import ast
from functools import cache
from pathlib import Path

import pytest

import aurum.pipelines.sources as sources
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import Source

FOLDER = Path(str(sources.__path__[0]))
FORBIDDEN = {
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
ALLOWED: dict[str, str] = {}
"""Reason by ``path: call``."""


def modules() -> list[Path]:
    return sorted(FOLDER.rglob("*.py"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Return every node of a module. Tests share them, because most modules are reached from several parsers."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def is_cast_of_text(node: ast.Call) -> bool:
    """A cast to floats, or one that forgives what it cannot read: both are of texts."""
    if called(node) != "cast":
        return False
    to = ast.unparse(node.args[0]) if node.args else ""
    forgiving = any(keyword.arg == "strict" and ast.unparse(keyword.value) == "False" for keyword in node.keywords)
    return to.startswith("pl.Float") or (forgiving and to.startswith("pl."))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_parser_reads_by_itself(path: Path) -> None:
    calls = [node for node in nodes(path) if isinstance(node, ast.Call)]
    name = str(path.relative_to(FOLDER))
    violations = [
        f"{name}: {called(node)}, line {node.lineno}: use {FORBIDDEN[called(node)]}"
        for node in calls
        if called(node) in FORBIDDEN
    ]
    violations += [f"{name}: cast, line {node.lineno}: use reading.numbers" for node in calls if is_cast_of_text(node)]
    assert [line for line in violations if line.partition(",")[0] not in ALLOWED] == []


@cache
def imports(path: Path) -> set[str]:
    plain = {name.name for node in nodes(path) if isinstance(node, ast.Import) for name in node.names}
    of = [node for node in nodes(path) if isinstance(node, ast.ImportFrom) and node.module]
    return plain | {str(node.module) for node in of} | {f"{node.module}.{name.name}" for node in of for name in node.names}


def reached(module: str) -> set[str]:
    """Return the modules that a parser's module imports, through modules of its own source."""
    seen: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        path = FOLDER.parent.joinpath(*name.removeprefix("aurum.pipelines.").split(".")).with_suffix(".py")
        if name in seen or not path.is_file():
            continue
        seen.add(name)
        todo += [each for each in imports(path) if each.startswith("aurum.pipelines.")]
    return seen


@pytest.mark.parametrize("source", default_registry().sources, ids=lambda source: source.name)
def test_each_parser_goes_through_the_readers_of_dates_and_numbers(source: Source) -> None:
    for file_format in source.formats:
        if not file_format.datasets:
            continue  # a message without data
        parse = getattr(file_format.parse, "func", file_format.parse)
        module = parse.__module__
        modules = reached(module)
        assert {"aurum.pipelines.reading.dates", "aurum.pipelines.reading.numbers"} <= modules, f"{file_format.name}: {module}"
