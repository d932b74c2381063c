"""Sizes of modules and functions in lines (median, p95, largest). They are shown, not enforced."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    modules: list[tuple[int, Path]] = []
    functions: list[tuple[int, str]] = []
    for path in sorted([*ROOT.glob("apps/*/src/**/*.py"), *ROOT.glob("libs/*/src/**/*.py")]):
        text = path.read_text()
        if not text.strip():
            continue
        modules.append((text.count("\n"), path.relative_to(ROOT)))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.append((1 + (node.end_lineno or node.lineno) - node.lineno, f"{path.relative_to(ROOT)}:{node.name}"))
    lengths = [length for length, _ in modules]
    print(f"modules    {len(modules)}, lines {sum(lengths)}")
    print(f"module     median {statistics.median(lengths):.0f}, p95 {statistics.quantiles(lengths, n=20)[-1]:.0f}")
    print(f"largest    {max(modules)[0]} lines, {max(modules)[1]}")
    spans = [length for length, _ in functions]
    print(f"function   median {statistics.median(spans):.0f}, p95 {statistics.quantiles(spans, n=20)[-1]:.0f}")
    print(f"longest    {max(functions)[0]} lines, {max(functions)[1]}")


if __name__ == "__main__":
    main()
