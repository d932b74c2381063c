"""Every dataset has a sample, and every sample is claimed by one format, under its publisher's name and under a neutral one."""

from __future__ import annotations

import pytest

from aurum.pipelines.registry import UnknownFormat, default_registry
from aurum.pipelines.source import SourceFile

from .samples import SAMPLES, Sample

REGISTRY = default_registry()
FORMATS = [file_format for source in REGISTRY.sources for file_format in source.formats]

TOLD_BY_THE_PARSER = {"isone:smd_hourly", "fred:observations", "isone:da_lmp"}
"""Samples whose layout is certain: only what they are of is not, which the parser says, or stores as not stated."""


def claims(name: str, content: bytes) -> list[str]:
    return [file_format.name for file_format in FORMATS if file_format.recognise(SourceFile(name, content))]


def test_every_dataset_has_a_sample() -> None:
    declared = {f"{source.name}:{dataset.name}" for source in REGISTRY.sources for dataset in source.datasets}
    assert declared == {dataset for sample in SAMPLES for dataset in sample.datasets}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.label)
def test_a_sample_is_claimed_by_one_format_and_holds_its_datasets(sample: Sample) -> None:
    document = SourceFile(sample.name, sample.content)
    assert len(claims(sample.name, sample.content)) == 1
    source, file_format = REGISTRY.recognise(document)
    parts = file_format.parse(document)
    assert {f"{source.name}:{part.dataset.name}" for part in parts} == set(sample.datasets)
    assert all(part.refused.is_empty() for part in parts)
    assert all(part.rows.height for part in parts)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.label)
def test_under_a_neutral_name_a_sample_is_claimed_or_refused_with_the_name_that_would_tell(sample: Sample) -> None:
    name = f"download.{sample.name.rsplit('.', 1)[-1]}"
    if sample.neutral:
        assert claims(name, sample.content) == claims(sample.name, sample.content)
        return
    if sample.datasets[0] in TOLD_BY_THE_PARSER:
        return
    with pytest.raises(UnknownFormat) as refused:
        REGISTRY.recognise(SourceFile(name, sample.content))
    assert not refused.value.detail.startswith("unknown format")
