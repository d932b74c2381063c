"""Expressions of derived curves: what they may say, and the unit of their prices."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aurum.core.curves.expressions import (
    MOST_DEPTH,
    MOST_INPUTS,
    Basis,
    Combine,
    Convert,
    InvalidExpression,
    Quoted,
    Roll,
    Scale,
    Shift,
    first_input,
    inputs_of,
    read_expression,
    to_document,
    unit_of,
)

DE, TTF, NODE = "power:DE:base:EEX", "gas:TTF:base:ICE", "power:NODE:base:DESK"
UNITS = {DE: "EUR/MWh", TTF: "EUR/MWh", NODE: "USD/MWh", "gas:NBP:base:ICE": "GBp/therm"}

DOCUMENTS: list[tuple[Any, Any]] = [
    ({"op": "shift", "curve": DE, "by": 1}, Shift(Quoted(DE), 1.0)),
    ({"op": "shift", "curve": DE, "by": 10, "unit": "EURc/kWh"}, Shift(Quoted(DE), 10.0, "EURc/kWh")),
    ({"op": "scale", "curve": DE, "by": -0.5}, Scale(Quoted(DE), -0.5)),
    ({"op": "roll", "curve": DE, "months": 12}, Roll(Quoted(DE), 12)),
    ({"op": "combine", "a": DE, "b": TTF, "factor": 2.0}, Combine(Quoted(DE), Quoted(TTF), 2.0)),
    ({"op": "combine", "a": DE, "b": TTF}, Combine(Quoted(DE), Quoted(TTF))),
    ({"op": "basis", "hub": DE, "basis": TTF, "outright": NODE}, Basis(Quoted(DE), Quoted(TTF), Quoted(NODE))),
    ({"op": "convert", "curve": DE, "unit": "USD/MWh", "currency": "USD"}, Convert(Quoted(DE), "USD/MWh", "USD")),
    (
        {"op": "combine", "a": {"op": "scale", "curve": DE, "by": 2}, "b": {"op": "roll", "curve": DE, "months": -3}},
        Combine(Scale(Quoted(DE), 2.0), Roll(Quoted(DE), -3)),
    ),
]


@pytest.mark.parametrize(("document", "expression"), DOCUMENTS)
def test_an_expression_reads_back_what_it_writes(document: Any, expression: Any) -> None:
    assert read_expression(document) == expression
    assert read_expression(json.loads(json.dumps(to_document(expression)))) == expression


def test_inputs_are_named_once_in_their_order_and_the_first_gives_the_periods() -> None:
    expression = Combine(Shift(Combine(Quoted(TTF), Quoted(DE)), 1.0), Quoted(TTF))
    assert inputs_of(expression) == (TTF, DE)
    assert first_input(expression) == TTF


@pytest.mark.parametrize(
    ("document", "field", "why"),
    [
        (DE, "expression", "needs an operation"),
        (17, "expression", "must be the key of a curve or an object"),
        ({"op": "shfit", "curve": DE, "by": 1}, "expression.op", r"meant: shift\?"),
        ({"op": "shift", "curve": DE, "by": 1, "factor": 2}, "expression.factor", "is not a member of shift"),
        ({"op": "shift", "by": 1}, "expression.curve", "is missing"),
        ({"op": "shift", "curve": "DE", "by": 1}, "expression.curve", "is not a curve key"),
        ({"op": "shift", "curve": DE, "by": True}, "expression.by", "must be a number"),
        ({"op": "shift", "curve": DE, "by": float("inf")}, "expression.by", "must be a number"),
        ({"op": "scale", "curve": DE}, "expression.by", "is missing: send a number"),
        ({"op": "roll", "curve": DE}, "expression.months", "is missing: send a whole number"),
        ({"op": "roll", "curve": DE, "months": 1.5}, "expression.months", "only whole months can be rolled"),
        ({"op": "roll", "curve": DE, "months": 1_000}, "expression.months", "whole number of months"),
        ({"op": "convert", "curve": DE}, "expression.unit", "names a unit, a currency or both"),
        ({"op": "combine", "a": DE, "b": {"op": "scale", "curve": 1, "by": 2}}, "expression.b.curve", "must be the key"),
    ],
)
def test_a_document_that_is_not_an_expression_names_what_is_wrong(document: Any, field: str, why: str) -> None:
    with pytest.raises(InvalidExpression, match=why) as caught:
        read_expression(document)
    assert caught.value.field == field


def test_depth_operations_and_inputs_are_bounded() -> None:
    deep: Any = DE
    for _ in range(MOST_DEPTH):
        deep = {"op": "shift", "curve": deep, "by": 1}
    read_expression(deep)
    with pytest.raises(InvalidExpression, match="nested operations"):
        read_expression({"op": "shift", "curve": deep, "by": 1})
    wide: Any = f"power:A{MOST_INPUTS}:base:X"
    for number in range(4):
        leaves = [f"power:N{number}{one}:base:X" for one in range(5)]
        side: Any = leaves[0]
        for leaf in leaves[1:]:
            side = {"op": "combine", "a": side, "b": leaf}
        wide = {"op": "combine", "a": side, "b": wide} if number < 2 else wide
        wide = {"op": "combine", "a": wide, "b": side} if number >= 2 else wide
    with pytest.raises(InvalidExpression, match=f"may use {MOST_INPUTS}"):
        read_expression(wide)


def test_units_follow_the_operations() -> None:
    assert unit_of(read_expression({"op": "scale", "curve": DE, "by": 2}), UNITS).text == "EUR/MWh"
    nbp = {"op": "convert", "curve": "gas:NBP:base:ICE", "unit": "EUR/MWh"}
    assert unit_of(read_expression({"op": "combine", "a": DE, "b": nbp}), UNITS).text == "EUR/MWh"
    assert unit_of(read_expression({"op": "convert", "curve": DE, "currency": "USD"}), UNITS).text == "USD/MWh"


@pytest.mark.parametrize(
    ("document", "field", "why"),
    [
        ({"op": "combine", "a": DE, "b": NODE}, "expression.b", "is in USD/MWh, and a in EUR/MWh: convert one of them"),
        ({"op": "basis", "hub": DE, "basis": TTF, "outright": NODE}, "expression.outright", "is in USD/MWh, and hub in"),
        ({"op": "shift", "curve": DE, "by": 1, "unit": "USD/MWh"}, "expression.unit", "cannot convert"),
        ({"op": "convert", "curve": DE, "unit": "EUR/MWhh"}, "expression.unit", "unknown unit"),
        ({"op": "convert", "curve": DE, "unit": "MW"}, "expression.unit", "cannot convert"),
        ({"op": "convert", "curve": DE, "unit": "USD/bbl"}, "expression.unit", "is a price of"),
        ({"op": "convert", "curve": DE, "currency": "XXX"}, "expression.currency", "unknown"),
    ],
)
def test_operands_of_different_units_need_a_conversion(document: Any, field: str, why: str) -> None:
    with pytest.raises(InvalidExpression, match=why) as caught:
        unit_of(read_expression(document), UNITS)
    assert caught.value.field == field
