"""Under a neutral name, every sample is claimed by its format, or refused with the name that would tell."""

from __future__ import annotations

import pytest

from aurum.pipelines.registry import UnknownFormat, own_registry
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.samples import SAMPLES, Sample

REGISTRY = own_registry()
FORMATS = [file_format for source in REGISTRY.sources for file_format in source.formats]

TOLD_BY_THE_PARSER = {"isone:smd_hourly", "fred:observations", "isone:da_lmp"}
"""Samples whose layout is certain: only what they are of is not, which the parser says, or stores as not stated."""


def claims(name: str, content: bytes) -> list[str]:
    return [file_format.name for file_format in FORMATS if file_format.recognise(SourceFile(name, content))]


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
