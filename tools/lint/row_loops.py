"""Lint of Python loops over rows, such as ``iter_rows`` and ``map_elements``, between parsing and encoding.

A batch of observations is one frame; a loop over its rows is a hundred times slower and makes an object for each row. If a loop
is over few rows (series of a file, quarantined rows), say so on the line: ``# rows: why there are few``.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    "libs/pipelines/src",
    "libs/services/src",
    "libs/storage/src/aurum/storage/postgres",
    "libs/storage/src/aurum/storage/timescale",
    "libs/storage/src/aurum/storage/duckdb",
    "libs/storage/src/aurum/storage/clickhouse",
    "libs/core/src",
    "apps/api/src",
)
FORBIDDEN = {"iter_rows", "iterrows", "itertuples", "map_elements", "map_rows", "to_dicts"}
MARK = "# rows:"


def findings(text: str, name: str) -> list[str]:
    """Return one line for each forbidden call without a mark.

    >>> findings("for row in frame.iter_rows():\\n    pass", "x.py")
    ['x.py:1: iter_rows(): work on columns, or say why the rows are few with "# rows: ..."']
    >>> findings("for row in frame.iter_rows():  # rows: one a source\\n    pass", "x.py")
    []
    """
    lines = text.splitlines()
    hits: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FORBIDDEN):
            continue
        if MARK not in "\n".join(lines[node.lineno - 1 : node.end_lineno]):
            hits.append(
                f'{name}:{node.lineno}: {node.func.attr}(): work on columns, or say why the rows are few with "{MARK} ..."'
            )
    return hits


def main() -> int:
    lines: list[str] = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            lines += findings(path.read_text(), str(path.relative_to(ROOT)))
    print("\n".join(lines) if lines else "row loops: none")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
