"""Sparklines are small and valid, whatever their values."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import aurum.charts.sparkline
import aurum.charts.text
from aurum.charts.sparkline import sparkline_blocks, sparkline_svg

VALUES = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=30)


@given(VALUES)
def test_a_sparkline_is_a_small_svg_within_its_frame(values: list[float | None]) -> None:
    svg = sparkline_svg(values)
    assert len(svg) < 800
    root = etree.fromstring(svg.encode())
    (path,) = root.findall("{*}path")
    numbers = [float(one) for one in re.findall(r"[0-9.]+", path.get("d", ""))]
    assert all(0 <= one <= 100 for one in numbers)
    assert svg.count("M") == sum(
        one is not None and (place == 0 or values[place - 1] is None) for place, one in enumerate(values)
    )


@given(VALUES)
def test_blocks_have_one_character_a_value(values: list[float | None]) -> None:
    assert len(sparkline_blocks(values)) == len(values)


@pytest.mark.parametrize("module", [aurum.charts.sparkline, aurum.charts.text], ids=lambda one: one.__name__)
def test_the_examples_in_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
