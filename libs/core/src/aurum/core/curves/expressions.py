"""Expressions of derived curves: arithmetic over the quotes of other curves, written as JSON.

An operand is the key of a curve or an expression:

=============================================  =============================================================
``{"op": "shift", "curve", "by", "unit"}``     every price plus ``by``, in ``unit``; without it in that of the operand
``{"op": "scale", "curve", "by"}``             every price times ``by``
``{"op": "roll", "curve", "months"}``          for each period the price of the period that many months later
``{"op": "combine", "a", "b", "factor"}``      ``a`` less ``factor`` (1) times ``b``
``{"op": "basis", "hub", "basis", "outright"}``  ``hub`` plus ``basis``; ``outright``: quotes of the sum itself, which stand
``{"op": "convert", "curve", "unit", "currency"}``  in another unit, another currency at the rate of each trade date, or both
=============================================  =============================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from aurum.core.curves.keys import CurveKey, InvalidCurveKey
from aurum.core.errors import Invalid, UnknownName
from aurum.core.names import nearest
from aurum.core.units import Unit, conversion_factor, in_currency, parse_unit

MOST_DEPTH = 8
"""Nested operations."""
MOST_INPUTS = 16
"""Different curves in one expression."""
MOST_MONTHS = 240
"""Months that a roll may reach, in either direction."""
_MOST_OPERATIONS = 64
_MOST_NUMBER = 1e9


class InvalidExpression(Invalid):
    """A document that is not an expression. Facts: ``field`` (its path, as ``expression.a.by``) and ``value``."""

    def __init__(self, field: str, why: str, value: object) -> None:
        super().__init__(f"{field}: {why}", field=field, value=value if isinstance(value, str | int | float) else None)
        self.field = field
        self.why = why


@dataclass(frozen=True, slots=True)
class Quoted:
    """The quotes of a curve."""

    key: str


@dataclass(frozen=True, slots=True)
class Shift:
    """Prices plus a number. ``unit``: of the number; None: that of the operand."""

    curve: Expression
    by: float
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """Prices times a number; a negative one turns bids into asks."""

    curve: Expression
    by: float


@dataclass(frozen=True, slots=True)
class Roll:
    """The price of each period is that of the period some whole months later."""

    curve: Expression
    months: int


@dataclass(frozen=True, slots=True)
class Combine:
    """``a`` less ``factor`` times ``b``, which have one unit."""

    a: Expression
    b: Expression
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Basis:
    """``hub`` plus ``basis``. ``outright``: quotes of the sum itself."""

    hub: Expression
    basis: Expression
    outright: Expression | None = None


@dataclass(frozen=True, slots=True)
class Convert:
    """Prices in another unit, another currency, or both."""

    curve: Expression
    unit: str | None = None
    currency: str | None = None


Expression: TypeAlias = Quoted | Shift | Scale | Roll | Combine | Basis | Convert

_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "shift": ("curve", "by", "unit"),
    "scale": ("curve", "by"),
    "roll": ("curve", "months"),
    "combine": ("a", "b", "factor"),
    "basis": ("hub", "basis", "outright"),
    "convert": ("curve", "unit", "currency"),
}


def read_expression(document: object) -> Expression:
    """Return the expression of a JSON value: an object with ``op``, at least one operation. Raises ``InvalidExpression``."""
    if isinstance(document, str):
        raise InvalidExpression("expression", "is a curve itself: it needs an operation, such as shift", document)
    reader = _Reader()
    expression = reader.operand("expression", document, depth=1)
    if len(inputs_of(expression)) > MOST_INPUTS:
        why = f"uses {len(inputs_of(expression))} curves, and may use {MOST_INPUTS}: derive a part of it as a curve of its own"
        raise InvalidExpression("expression", why, None)
    return expression


def to_document(expression: Expression) -> Any:
    """Return an expression as a JSON value, which ``read_expression`` reads back to an equal one."""
    if isinstance(expression, Quoted):
        return expression.key
    name = type(expression).__name__.lower()
    members = {member: getattr(expression, member) for member in _MEMBERS[name]}
    written = {
        member: to_document(value) if isinstance(value, _OPERANDS) else value
        for member, value in members.items()
        if value is not None
    }
    return {"op": name, **written}


def operands(expression: Expression) -> tuple[Expression, ...]:
    """Return the direct operands of an expression, the first one first."""
    match expression:
        case Quoted():
            return ()
        case Combine(a, b):
            return a, b
        case Basis(hub, basis, outright):
            return (hub, basis) if outright is None else (hub, basis, outright)
        case Shift() | Scale() | Roll() | Convert():
            return (expression.curve,)


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield an expression after all of its operands."""
    for operand in operands(expression):
        yield from walk(operand)
    yield expression


def inputs_of(expression: Expression) -> tuple[str, ...]:
    """Return the keys of the curves that an expression reads, each once, in their order.

    >>> inputs_of(Combine(Quoted("power:DE:base:EEX"), Scale(Quoted("gas:TTF:base:ICE"), 2.0)))
    ('power:DE:base:EEX', 'gas:TTF:base:ICE')
    """
    return tuple(dict.fromkeys(one.key for one in walk(expression) if isinstance(one, Quoted)))


def place_of(expression: Expression, key: str, *, at: str = "expression") -> str:
    """Return the path of the first operand that is the curve of a key; ``at`` for an expression that does not read it.

    >>> place_of(Combine(Quoted("power:DE:base:EEX"), Scale(Quoted("gas:TTF:base:ICE"), 2.0)), "gas:TTF:base:ICE")
    'expression.b.curve'
    """
    if isinstance(expression, Quoted):
        return at
    names = _MEMBERS[type(expression).__name__.lower()]
    for name, operand in zip(names, operands(expression), strict=False):
        if key in inputs_of(operand):
            return place_of(operand, key, at=f"{at}.{name}")
    return at


def first_input(expression: Expression) -> str:
    """Return the curve whose periods an expression has: the first operand of the first operand."""
    while not isinstance(expression, Quoted):
        expression = operands(expression)[0]
    return expression.key


def unit_of(expression: Expression, units: Mapping[str, str], *, at: str = "expression") -> Unit:
    """Return the unit of the prices of an expression. ``units``: of its curves, by key. Raises ``InvalidExpression``.

    The operands of a difference and of a basis have one unit: an exchange of units is always an operation of its own.
    """
    match expression:
        case Quoted(key):
            return parse_unit(units[key])
        case Convert():
            return target_of(expression, unit_of(expression.curve, units, at=f"{at}.curve"), at=at)
        case Shift(curve):
            unit = unit_of(curve, units, at=f"{at}.curve")
            shift_in(expression, unit, at=at)
            return unit
        case Scale() | Roll():
            return unit_of(expression.curve, units, at=f"{at}.curve")
        case Combine() | Basis():
            names = _MEMBERS[type(expression).__name__.lower()]
            first, *others = (
                (name, unit_of(operand, units, at=f"{at}.{name}"))
                for name, operand in zip(names, operands(expression), strict=False)
            )
            for name, unit in others:
                if unit != first[1]:
                    why = f"is in {unit}, and {first[0]} in {first[1]}: convert one of them to the unit of the other"
                    raise InvalidExpression(f"{at}.{name}", why, unit.text)
            return first[1]


def target_of(expression: Convert, source: Unit, *, at: str = "expression") -> Unit:
    """Return the unit that a conversion leads to from ``source``. Raises ``InvalidExpression``."""
    try:
        target = source if expression.unit is None else parse_unit(expression.unit)
        if expression.currency is not None:
            target = in_currency(target, expression.currency)
        if source.currency == target.currency or None in (source.currency, target.currency):
            conversion_factor(source, target)
        elif source.dimension != target.dimension:
            raise InvalidExpression(
                f"{at}.unit", f"{target} is a {target.dimension}, {source} a {source.dimension}", str(target)
            )
    except (UnknownName, Invalid) as error:
        if isinstance(error, InvalidExpression):
            raise
        member = "currency" if expression.unit is None else "unit"
        raise InvalidExpression(f"{at}.{member}", error.detail, expression.unit or expression.currency) from error
    return target


def exchanged_currencies(expression: Expression, units: Mapping[str, str]) -> frozenset[str]:
    """Return the currencies whose exchange rates an expression uses, ISO 4217. ``units``: of its curves, by key.

    Raises ``InvalidExpression`` as ``unit_of`` does.

    >>> sorted(exchanged_currencies(Convert(Quoted("gas:HH:base:CME"), currency="EUR"), {"gas:HH:base:CME": "USD/MMBtu"}))
    ['EUR', 'USD']
    """
    converts = [one for one in walk(expression) if isinstance(one, Convert)]
    pairs = [(unit_of(one.curve, units).currency, unit_of(one, units).currency) for one in converts]
    return frozenset(currency for source, target in pairs if source != target for currency in (source, target) if currency)


def shift_in(expression: Shift, unit: Unit, *, at: str = "expression") -> float:
    """Return the number that a shift adds to prices in ``unit``. Raises ``InvalidExpression``."""
    if expression.unit is None:
        return expression.by
    try:
        return expression.by * conversion_factor(parse_unit(expression.unit), unit)
    except (UnknownName, Invalid) as error:
        raise InvalidExpression(f"{at}.unit", error.detail, expression.unit) from error


class _Reader:
    """Reads operands and counts operations, so that a document of any shape is read in bounded time."""

    def __init__(self) -> None:
        self._operations = 0

    def operand(self, at: str, value: object, *, depth: int) -> Expression:
        if isinstance(value, str):
            try:
                return Quoted(str(CurveKey.parse(value)))
            except InvalidCurveKey as error:
                raise InvalidExpression(at, error.detail, value[:200]) from error
        if not isinstance(value, Mapping):
            raise InvalidExpression(at, "must be the key of a curve or an object with op", value)
        members = cast("Mapping[str, object]", value)
        self._operations += 1
        if depth > MOST_DEPTH or self._operations > _MOST_OPERATIONS:
            why = f"has more than {MOST_DEPTH} nested operations, or {_MOST_OPERATIONS} in all: derive a part of it "
            raise InvalidExpression(at, f"{why}as a curve of its own", None)
        op = members.get("op")
        if not isinstance(op, str) or op not in _MEMBERS:
            hint = nearest(op, _MEMBERS, count=1) if isinstance(op, str) else ()
            meant = f" (meant: {hint[0]}?)" if hint else ""
            raise InvalidExpression(f"{at}.op", f"must be one of {', '.join(_MEMBERS)}{meant}", op)
        for name in members:
            if name not in ("op", *_MEMBERS[op]):
                raise InvalidExpression(f"{at}.{name}"[:200], f"is not a member of {op}: {', '.join(_MEMBERS[op])}", None)
        return self._operation(op, at, members, depth)

    def _operation(self, op: str, at: str, members: Mapping[str, object], depth: int) -> Expression:
        def operand(name: str) -> Expression:
            if members.get(name) is None:
                raise InvalidExpression(f"{at}.{name}", "is missing: a curve or an expression", None)
            return self.operand(f"{at}.{name}", members[name], depth=depth + 1)

        match op:
            case "shift":
                return Shift(operand("curve"), _number(at, members, "by"), _text(at, members, "unit"))
            case "scale":
                return Scale(operand("curve"), _number(at, members, "by"))
            case "roll":
                return Roll(operand("curve"), _months(at, members))
            case "combine":
                return Combine(operand("a"), operand("b"), _number(at, members, "factor", default=1.0))
            case "basis":
                outright = None if members.get("outright") is None else operand("outright")
                return Basis(operand("hub"), operand("basis"), outright)
            case _:
                return _convert(at, operand("curve"), members)


_OPERANDS = (Quoted, Shift, Scale, Roll, Combine, Basis, Convert)


def _convert(at: str, curve: Expression, members: Mapping[str, object]) -> Convert:
    unit, currency = _text(at, members, "unit"), _text(at, members, "currency")
    if unit is None and currency is None:
        raise InvalidExpression(f"{at}.unit", "is missing: a conversion names a unit, a currency or both", None)
    return Convert(curve, unit, currency)


def _number(at: str, members: Mapping[str, object], name: str, *, default: float | None = None) -> float:
    value = members.get(name)
    if value is None and default is not None:
        return default
    if value is None:
        raise InvalidExpression(f"{at}.{name}", "is missing: send a number", None)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _MOST_NUMBER or not math.isfinite(value):
        raise InvalidExpression(f"{at}.{name}", f"must be a number of at most {_MOST_NUMBER:,.0f}", value)
    return float(value)


def _months(at: str, members: Mapping[str, object]) -> int:
    value = members.get("months")
    if value is None:
        raise InvalidExpression(f"{at}.months", f"is missing: send a whole number from -{MOST_MONTHS} to {MOST_MONTHS}", None)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST_MONTHS:
        why = f"must be a whole number of months from -{MOST_MONTHS} to {MOST_MONTHS}: only whole months can be rolled"
        raise InvalidExpression(f"{at}.months", why, value)
    return value


def _text(at: str, members: Mapping[str, object], name: str) -> str | None:
    value = members.get(name)
    if value is not None and (not isinstance(value, str) or not value.strip() or len(value) > 100):
        raise InvalidExpression(f"{at}.{name}", "must be a text of up to 100 characters", None)
    return value
