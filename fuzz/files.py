"""Damaged files through every recogniser, parser and check: each is read, or refused with a reason."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aurum.common.contracts import contracts_directory
from aurum.common.settings.files import FilesSettings
from aurum.pipelines.loading.isolated import IsolatedFiles, needs_isolation
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.prepare import Prepared, prepare
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import Registry, default_registry
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.samples import SAMPLES
from fuzz.mutate import damaged

_DIGEST = "0" * 64
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
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
    """Numbers of outcomes, and the failures by their last line.

    The outcome ``contained``: a file that made its child process fail, and nothing else.
    """

    outcomes: Counter[str] = field(default_factory=Counter[str])
    failures: dict[str, tuple[SourceFile, str]] = field(default_factory=dict[str, tuple[SourceFile, str]])


def seeds() -> list[SourceFile]:
    """Return the samples of all datasets, which the tests of mutations use as well."""
    return [SourceFile(sample.name, sample.content) for sample in SAMPLES]


def run(seconds: float, seed: int, *, most: int | None = None, registry: Registry | None = None) -> Tally:
    """Try damaged files, at most ``most``, for some seconds. ``registry``: by default that of all sources."""
    draw, samples, tally = random.Random(seed), seeds(), Tally()
    contents = [sample.content for sample in samples]
    registry = registry or default_registry()
    expectations = contracts_directory(None) / "expectations"
    suites = read_suites(expectations)
    isolated = IsolatedFiles(FilesSettings(), expectations=expectations)
    end = time.monotonic() + seconds
    with closing(isolated):
        while time.monotonic() < end and (most is None or tally.outcomes.total() < most):
            sample = draw.choice(samples)
            name = draw.choice(_NAMES) if draw.random() < 0.2 else draw.choice([sample, sample, draw.choice(samples)]).name
            document = SourceFile(name, damaged(draw, sample.content, contents))
            if needs_isolation(document):
                prepared = isolated.prepare(document, _DIGEST, KnownAtPolicy(), _NOW)
                outcome = "contained" if prepared.failure else _outcome(prepared)
            else:
                prepared = prepare(registry, suites, document, _DIGEST, KnownAtPolicy(), _NOW)
                outcome = "failed" if prepared.failure else _outcome(prepared)
                if prepared.failure:
                    tally.failures.setdefault(_last_line(prepared.failure), (document, prepared.failure))
            tally.outcomes[outcome] += 1
    return tally


def _outcome(prepared: Prepared) -> str:
    if prepared.load is None:
        return "refused"
    return "read" if prepared.load.quarantine.is_empty() else "held back"


def _last_line(failure: str) -> str:
    """Return the error of a traceback and the line that raised it."""
    lines = failure.strip().splitlines()
    places = [line.strip() for line in lines if line.lstrip().startswith("File ")]
    return f"{lines[-1][:80]} {places[-1] if places else ''}"
