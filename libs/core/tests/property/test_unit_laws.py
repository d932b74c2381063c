"""Conversions form a group: there and back is the identity, and a detour leads to the same value."""

import math
from collections import defaultdict

from hypothesis import assume, given
from hypothesis import strategies as st

from aurum.core.units import Unit, convert, known_units, parse_unit


def families() -> list[list[Unit]]:
    """Return groups of units that convert into one another."""
    by_kind: dict[tuple[str, str | None], list[Unit]] = defaultdict(list)
    for info in known_units():
        by_kind[info.dimension, info.currency].append(parse_unit(info.text))
    return list(by_kind.values())


FAMILIES = families()
values = st.floats(-1e9, 1e9)


def close(one: float, other: float, scale: float = 0) -> bool:
    """Return whether two values are equal except for the last digits. ``scale``: size of an added offset, which loses some."""
    return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12 * max(scale, 1e-300))


@given(st.data(), values)
def test_there_and_back_is_where_it_began(data: st.DataObject, value: float) -> None:
    family = data.draw(st.sampled_from(FAMILIES))
    source, target = data.draw(st.sampled_from(family)), data.draw(st.sampled_from(family))
    there = convert(value, source, target)
    assert close(convert(there, target, source), value, scale=1000)


@given(st.data(), values)
def test_a_detour_leads_to_the_same_value(data: st.DataObject, value: float) -> None:
    family = data.draw(st.sampled_from([family for family in FAMILIES if len(family) > 1]))
    source, between, target = (data.draw(st.sampled_from(family)) for _ in range(3))
    direct = convert(value, source, target)
    assert close(convert(convert(value, source, between), between, target), direct, scale=1000)


@given(st.data(), values, values)
def test_conversion_keeps_order(data: st.DataObject, one: float, other: float) -> None:
    assume(other - one > 1e-3)
    family = data.draw(st.sampled_from(FAMILIES))
    source, target = data.draw(st.sampled_from(family)), data.draw(st.sampled_from(family))
    assert convert(one, source, target) < convert(other, source, target)


@given(st.sampled_from(known_units()), st.data())
def test_a_unit_is_read_from_what_it_prints_whatever_the_blanks(info, data: st.DataObject) -> None:
    unit = parse_unit(info.text)
    blanks = data.draw(st.sampled_from(["", " ", "  "]))
    assert parse_unit(f"{blanks}{info.text.replace('/', f'{blanks}/{blanks}')}{blanks}") == unit
