"""No damage of a file is silent: a mutated sample is read right, held back, refused, or nothing in it can tell.

The quick part takes every sample through the mutations that depend on the dataset, one of each format through those of times,
one of each source through the others. The whole table is made, and compared with its page, by a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile

from .mutations import NUMBERS, OF_DATASET, OF_FORMAT, TOGETHER, WHOLE, Mutation, in_numbers
from .outcomes import EXPECTATIONS, Outcome, outcome, run, undetectable
from .samples import SAMPLES, Sample

REGISTRY = default_registry()
SUITES = read_suites(EXPECTATIONS)
FORMATS = {sample.name: REGISTRY.recognise(SourceFile(sample.name, sample.content))[1].name for sample in SAMPLES}
FIRST_OF_FORMAT = {file_format: name for name, file_format in reversed(FORMATS.items())}
FIRST_OF_SOURCE = {sample.datasets[0].partition(":")[0]: sample.name for sample in reversed(SAMPLES)}
OF_READER = {**TOGETHER, "a number": in_numbers(NUMBERS["U+200B in a number"]), **WHOLE}


def mutations(sample: Sample) -> dict[str, Mutation]:
    is_first = FIRST_OF_FORMAT[FORMATS[sample.name]] == sample.name
    stands_for_source = FIRST_OF_SOURCE[sample.datasets[0].partition(":")[0]] == sample.name
    return {**OF_DATASET, **(OF_FORMAT if is_first else {}), **(OF_READER if stands_for_source else {})}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.label)
def test_no_damage_of_a_sample_is_silent(sample: Sample) -> None:
    reference, _ = run(REGISTRY, SUITES, SourceFile(sample.name, sample.content))
    outcomes = {
        name: outcome(REGISTRY, SUITES, document, reference)
        for name, mutation in mutations(sample).items()
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
