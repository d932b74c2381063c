"""Reports of the figures: a table for people, a JSON file for machines."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tabulate import tabulate

from bench.harness import Figure

_HEADERS = ("figure", "Aurum", "reference", "unit", "against", "ratio", "rounds", "target", "stretch", "")
_ALIGNED = ("left", "right", "right", "left", "left", "right", "left", "right", "right", "left")


def table(figures: Sequence[Figure], *, style: str = "simple") -> str:
    """Return a table with one line for each figure. ``style``: a table style of tabulate, such as ``github``."""
    return tabulate([_row(figure) for figure in figures], _HEADERS, style, disable_numparse=True, colalign=_ALIGNED)


def write(figures: Sequence[Figure], notes: Sequence[str], path: Path) -> None:
    """Write all figures and notes as JSON."""
    document = {
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "figures": [asdict(figure) | {"verdict": figure.verdict} for figure in figures],
        "notes": list(notes),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")


def _row(figure: Figure) -> tuple[str, ...]:
    spread = f"{min(figure.ratios):.2f}–{max(figure.ratios):.2f}" if len(figure.ratios) > 1 else ""
    return (
        figure.name,
        _number(figure.ours),
        _number(figure.reference),
        figure.unit,
        figure.against,
        f"{figure.ratio:.2f}",
        spread,
        _bound(figure.target),
        _bound(figure.stretch),
        figure.verdict,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == 0 or abs(value) >= 100 else f"{value:.3g}"


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
