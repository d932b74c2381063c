"""No damage of a file is silent: a mutated sample is read right, held back, refused, or nothing in it can tell.

The quick part takes one sample of each source through the mutations. The whole table is made, and compared with its page, by a
process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import own_registry
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.samples import SAMPLES, Sample

from .mutations import NUMBERS, OF_DATASET, OF_FORMAT, TOGETHER, WHOLE, in_numbers
from .outcomes import EXPECTATIONS, Outcome, outcome, run, undetectable

REGISTRY = own_registry()
SUITES = read_suites(EXPECTATIONS)
OF_SOURCE = {sample.datasets[0].partition(":")[0]: sample for sample in reversed(SAMPLES)}
QUICK = {**OF_DATASET, **OF_FORMAT, **TOGETHER, "a number": in_numbers(NUMBERS["U+200B in a number"]), **WHOLE}


@pytest.mark.parametrize("sample", OF_SOURCE.values(), ids=lambda sample: sample.label)
def test_no_damage_of_a_sample_is_silent(sample: Sample) -> None:
    reference, _ = run(REGISTRY, SUITES, SourceFile(sample.name, sample.content))
    outcomes = {
        name: outcome(REGISTRY, SUITES, document, reference)
        for name, mutation in QUICK.items()
        if (document := mutation(sample)) is not None
    }
    wrong = {
        name: value
        for name, value in outcomes.items()
        if value in (Outcome.SILENT, Outcome.CRASH) and undetectable(REGISTRY, sample, name) is None
    }
    assert not wrong


@pytest.mark.needs_process
def test_the_page_of_the_table_is_current_and_has_no_silent_row() -> None:
    command = [sys.executable, "-m", "mutations.table", "--check"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
