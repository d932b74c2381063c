import pytest

from aurum.core.errors import UnknownName
from aurum.core.frequency import Frequency
from aurum.pipelines.registry import AmbiguousFormat, DuplicateName, Registry, ReservedName, UnknownFormat
from aurum.pipelines.source import Dataset, FileFormat, Parsed, RefusedFile, Source, SourceFile


def parse(document: SourceFile) -> tuple[Parsed, ...]:
    return ()


def source(name: str, head: str) -> Source:
    dataset = Dataset(name, "numbers", "Numbers", "UTC", Frequency.HOUR, ())
    file_format = FileFormat(f"{name} numbers", (dataset,), lambda document: document.head.startswith(head), parse)
    return Source(name, name.title(), "", (file_format,))


def test_the_format_whose_head_fits_is_chosen() -> None:
    registry = Registry([source("one", "1"), source("two", "2")])
    assert registry.recognise(SourceFile("x", b"2,3"))[0].name == "two"


def test_an_unknown_file_is_refused_in_one_line_and_the_formats_tried_are_a_fact() -> None:
    with pytest.raises(UnknownFormat) as refused:
        Registry([source("one", "1"), source("two", "2")]).recognise(SourceFile("x", b"3"))
    assert refused.value.reason == "unknown format: no table, JSON or XML in it; it begins with '3'"
    assert refused.value.facts["tried"] == ["one numbers", "two numbers"]


def test_a_file_that_two_formats_recognise_is_refused_and_they_are_named() -> None:
    with pytest.raises(RefusedFile, match="one numbers, two numbers") as refused:
        Registry([source("one", "1"), source("two", "1")]).recognise(SourceFile("x", b"1"))
    assert isinstance(refused.value, AmbiguousFormat)


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(RefusedFile, match="empty"):
        Registry([source("one", "1")]).recognise(SourceFile("x", b""))


def test_two_sources_of_one_name_stop_the_start() -> None:
    with pytest.raises(DuplicateName, match="one"):
        Registry([source("one", "1"), source("one", "2")])


def test_an_unknown_source_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="nearest: one"):
        Registry([source("one", "1")]).source("on")


def test_no_source_is_named_like_private_series() -> None:
    with pytest.raises(ReservedName):
        Registry([source("private", "1")])
