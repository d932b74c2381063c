"""The fuzzer repeats itself by its seed, finds nothing in the product, and notices what is wrong."""

from __future__ import annotations

import math
import random

import pytest

from aurum.pipelines.registry import Registry, default_registry
from aurum.pipelines.source import SourceFile
from fuzz import files, http
from fuzz.mutate import damaged


def test_a_seed_repeats_the_damages() -> None:
    draw, same, different = (random.Random(seed) for seed in (1, 1, 2))
    content = b"a,b\n1,2\n" * 20
    first = [damaged(draw, content) for _ in range(50)]
    assert first == [damaged(same, content) for _ in range(50)]
    assert first != [damaged(different, content) for _ in range(50)]


@pytest.mark.needs_process
def test_damaged_files_are_read_or_refused() -> None:
    tally = files.run(math.inf, 1, most=150)
    assert tally.failures == {}
    assert {"read", "refused", "held back"} <= set(tally.outcomes)


@pytest.mark.needs_process
def test_a_parser_that_fails_is_named_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[SourceFile] = []

    def recognise(_registry: Registry, document: SourceFile) -> object:
        tried.append(document)
        raise ZeroDivisionError("always")

    monkeypatch.setattr(Registry, "recognise", recognise)
    tally = files.run(math.inf, 1, most=10, registry=default_registry())
    ((where, (document, text)),) = tally.failures.items()
    assert document is tried[0]
    assert where.startswith("ZeroDivisionError: always ")
    assert "test_fuzz.py" in where
    assert "ZeroDivisionError" in text


@pytest.mark.needs_postgres
@pytest.mark.needs_process
def test_damaged_requests_are_answered_or_closed() -> None:
    tally = http.Tally()
    for most in (60, 600, 3_000):  # the fuzzer does not wait long for answers, and a busy machine takes longer for most
        tally = http.run(math.inf, 1, most=most)
        assert tally.failures == {}
        if {"200", "400"} <= set(tally.answers):
            break
    assert {"200", "400"} <= set(tally.answers)
