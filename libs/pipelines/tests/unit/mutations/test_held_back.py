"""Rows that are held back leave nothing in the catalog: a series, and with it its location, needs a row that passes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aurum.pipelines.quality.gate import check_rows
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile

from .samples import SAMPLES, Sample

REGISTRY = default_registry()
LONG_AGO = datetime(1700, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.label)
def test_a_dataset_without_a_row_that_passes_has_no_series(sample: Sample) -> None:
    document = SourceFile(sample.name, sample.content)
    source, file_format = REGISTRY.recognise(document)
    for part in file_format.parse(document):
        pairs = part.rows.select("location", "measure").unique()
        assert set(part.series.select("location", "measure").rows()) == set(pairs.rows())
        held = check_rows(part, Suites({}).of(source.name, part.dataset.name), now=LONG_AGO)
        assert held.rows.is_empty()
        assert held.series.is_empty()
