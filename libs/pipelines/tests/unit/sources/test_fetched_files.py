"""A file that is downloaded for a day is recognised under the name it is stored under, and names that day."""

from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest

from aurum.pipelines.fetch.headers import file_name
from aurum.pipelines.public_files import publications
from aurum.pipelines.registry import UnknownFormat, own_registry
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.samples import SAMPLES, Sample

DAY = date(2025, 7, 4)
"""The day of the samples."""
REGISTRY = own_registry()
NAMED_BY_THE_SERVER = {"caiso"}
"""Sources whose answers have a name in the header Content-Disposition: OASIS."""
NAMED_BY_A_LIST = {"ercot"}
"""Sources whose documents have the names of a list."""


def of(key: str) -> list[Sample]:
    return [sample for sample in SAMPLES if key in sample.datasets]


KEYS = [
    f"{source.name}:{dataset.name}"
    for source in REGISTRY.sources
    for dataset in source.datasets
    if (files := source.public_files(dataset.name)) is not None and (files.needs is None or files.keyless is not None)
]


def stored_names(key: str, today: date) -> list[str]:
    """Return the names of the files for the day that are requested on ``today``, as stored for answers without headers."""
    source, _, dataset = key.partition(":")
    files = REGISTRY.source(source).public_files(dataset)
    assert files is not None
    files = files.keyless or files
    requests = [request for one in publications(files, [DAY], today=today) for request in one.requests]
    return [request.name or file_name(httpx.Response(200), request.url, otherwise=dataset) for request in requests]


def unpacked(name: str, sample: Sample) -> str:
    """Return the name of the file in an archive of one file: that of the sample, in the archives that these sources serve."""
    return sample.name if name.endswith(".zip") else name


@pytest.mark.parametrize("key", [key for key in KEYS if key.partition(":")[0] not in NAMED_BY_THE_SERVER | NAMED_BY_A_LIST])
@pytest.mark.parametrize("age", [0, 2, 400])
def test_a_downloaded_file_is_recognised_and_names_its_day(key: str, age: int) -> None:
    samples = of(key)
    assert samples, "each dataset has a sample"
    recognised: list[str] = []
    names = stored_names(key, DAY + timedelta(days=age))
    if not names:
        assert key == "aeso:current_supply_demand"  # it shows the present only
        return
    for name in names[::97]:
        for sample in samples:
            document = SourceFile(unpacked(name, sample), sample.content)
            try:
                _, file_format = REGISTRY.recognise(document)
            except UnknownFormat:
                continue  # a sample in another layout of the publisher
            recognised += [f"{dataset.source}:{dataset.name}" for dataset in file_format.datasets]
            content = file_format.named(document)
            if content is not None and content.first is not None and content.last is not None:
                assert content.first <= DAY <= content.last
    assert key in recognised


@pytest.mark.parametrize("key", [key for key in KEYS if key.startswith("caiso:")])
def test_an_answer_of_oasis_has_a_name_of_its_query_and_run(key: str) -> None:
    source, _, dataset = key.partition(":")
    files = REGISTRY.source(source).public_files(dataset)
    assert files is not None
    (one,) = publications(files, [DAY], today=DAY)
    for sample in of(key):
        if sample.name.endswith(".csv"):
            _, file_format = REGISTRY.recognise(SourceFile(sample.name, sample.content))
            assert dataset in {each.name for each in file_format.datasets}
            query = dict(pair.split("=") for pair in one.requests[0].url.partition("?")[2].split("&"))
            assert f"_{query['queryname']}_" in sample.name
            assert file_format.named(SourceFile(sample.name, sample.content)) is not None
