"""Damaged files through every recogniser, parser and check: each is read, or refused with a reason."""

from __future__ import annotations

import random
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from aurum.common.contracts import contracts_directory
from aurum.pipelines.named_content import hold_to_name
from aurum.pipelines.quality.gate import check_rows
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import Registry, default_registry
from aurum.pipelines.source import RefusedFile, SourceFile
from fuzz.mutate import damaged

ROOT = Path(__file__).resolve().parents[1]
_NAMES = (
    "",
    "x",
    "a.csv",
    "data.json",
    "feed.xml",
    "book.xlsx",
    "20250704",
    "ünïcode.csv",
    "a" * 300 + ".csv",
    "..",
    "con.zip",
)


@dataclass(slots=True)
class Tally:
    """Numbers of outcomes, and the failures by their last frame."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    failures: dict[str, tuple[SourceFile, str]] = field(default_factory=dict[str, tuple[SourceFile, str]])


def seeds() -> list[SourceFile]:
    """Return the samples of all datasets, which the tests of damages use, too."""
    sys.path.insert(0, str(ROOT / "libs/pipelines/tests/unit"))
    from mutations.samples import SAMPLES  # pyright: ignore[reportMissingImports] - a package of tests

    return [SourceFile(sample.name, sample.content) for sample in SAMPLES]


def run(seconds: float, seed: int, *, most: int | None = None, registry: Registry | None = None) -> Tally:
    """Try damaged files, at most ``most``, for some seconds. ``registry``: by default that of all sources."""
    draw, samples, tally = random.Random(seed), seeds(), Tally()
    contents = [sample.content for sample in samples]
    registry = registry or default_registry()
    suites = read_suites(contracts_directory(None) / "expectations")
    end = time.monotonic() + seconds
    while time.monotonic() < end and (most is None or tally.outcomes.total() < most):
        sample = draw.choice(samples)
        name = draw.choice(_NAMES) if draw.random() < 0.2 else draw.choice([sample, sample, sample, draw.choice(samples)]).name
        document = SourceFile(name, damaged(draw, sample.content, contents))
        try:
            source, file_format = registry.recognise(document)
            for part in hold_to_name(document.name, file_format.named(document), file_format.parse(document)):
                result = check_rows(part, suites.of(source.name, part.dataset.name))
                tally.outcomes["refused" if result.refusal else "held back" if result.quarantine.height else "read"] += 1
        except RefusedFile:
            tally.outcomes["refused"] += 1
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a panic of Polars is not an Exception
            frame = traceback.extract_tb(error.__traceback__)[-1]
            tally.outcomes["failed"] += 1
            where = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
            tally.failures.setdefault(where, (document, traceback.format_exc()))
    return tally
