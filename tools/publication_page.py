"""Writes the guide of usual publication times, ``docs/guides/publication-times.md``, from the rules of the datasets."""

from __future__ import annotations

from pathlib import Path

from aurum.core.publication import Evidence, PublicationRule
from aurum.pipelines.registry import own_registry
from aurum.pipelines.source import Dataset, Source

PAGE = Path(__file__).resolve().parents[1] / "docs/guides/publication-times.md"
_BEGINNING = """\
# Usual publication times

A file that states its publication is known from that moment. History loaded later, from files that state none, is known from
the moment at which its publisher usually publishes it: the rule of its dataset, counted from the interval itself, from its
local day or from its month. A rule dates the first publication of a point only. The times hold in the zone they name, on both
sides of a change of the clocks; a time that the clocks skip means the next that exists.

| evidence | meaning |
|---|---|
| `documented` | a document of the publisher states the time |
| `observed` | stamps of the publisher's files or pages show it |
| `assumed` | practice suggests it, and no document was found: check it before a result depends on it |

The rules of forward quotes are counted from the trade date.

Where a dataset has several rules, the first that names a series holds for it. A series that none of them names, and a
dataset without a rule, is known from the moment at which it was taken in. Datasets marked with *forecast* are read by issue
and by lead.

`GET /v2/catalog/datasets` has the same rules. This page is written from the code (`tools/publication_page.py`).
"""
_NO_RULE = "no usual time: known when taken in"


def page() -> str:
    """Return the guide: a table of rules for each source."""
    return "\n".join((_BEGINNING, *(_table(source) for source in own_registry().sources)))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def _table(source: Source) -> str:
    rows = [row for dataset in source.datasets for row in _rows(dataset)]
    return "\n".join(
        (f"## {source.title}", "", "| dataset | usually published | evidence | source |", "|---|---|---|---|", *rows, "")
    )


def _rows(dataset: Dataset) -> list[str]:
    name = f"`{dataset.source}:{dataset.name}`" + (", *forecast*" if dataset.is_forecast else "")
    if not dataset.rules:
        return [f"| {name} | {_NO_RULE} | | |"]
    rows = [_row(name if place == 0 else "", rule) for place, rule in enumerate(dataset.rules)]
    final = dataset.quotes.final if dataset.quotes is not None else None
    return rows if final is None else [*rows, f"|  | {final} | `{Evidence.OBSERVED}` | {final.source} |"]


def _row(name: str, rule: PublicationRule) -> str:
    series = ", ".join(f"`{word}`" for word in (*rule.measures, *rule.locations))
    cells = (name, f"{series}: {rule}" if series else str(rule), f"`{rule.evidence}`", rule.source)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    main()
