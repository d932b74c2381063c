"""Checks all parts of a parsed file, observations and quotes alike, by the gate of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.quality.gate import GateResult, check_rows
from aurum.pipelines.quality.quotes import QuoteGateResult, check_quotes, without_repeats
from aurum.pipelines.quality.suites import Suite
from aurum.pipelines.source import Content, Dataset, Parsed

Checked: TypeAlias = GateResult | QuoteGateResult


def check_parts(
    parts: Sequence[Content], suite_of: Callable[[Dataset], Suite], *, now: datetime | None = None
) -> tuple[Checked, ...]:
    """Return the result of the checks of each part. ``now``: the present instant, UTC; None: unknown."""
    results: list[Checked] = [
        check_rows(part, suite_of(part.dataset), now=now)
        if isinstance(part, Parsed)
        else check_quotes(part, suite_of(part.dataset), now=now)
        for part in parts
    ]
    quoted: dict[str, list[int]] = {}
    for position, part in enumerate(parts):
        if isinstance(part, ParsedQuotes):
            quoted.setdefault(part.dataset.name, []).append(position)
    for positions in quoted.values():
        single = without_repeats(
            [part for position in positions if isinstance(part := parts[position], ParsedQuotes)],
            [one for position in positions if isinstance(one := results[position], QuoteGateResult)],
        )
        for position, one in zip(positions, single, strict=True):
            results[position] = one
    return tuple(results)


def passed(part: Content, result: Checked) -> Content:
    """Return a part with the rows, and of series with the series, that passed its checks."""
    if isinstance(part, Parsed) and isinstance(result, GateResult):
        return replace(part, rows=result.rows, series=result.series)
    assert isinstance(part, ParsedQuotes)
    return replace(part, rows=result.rows)
