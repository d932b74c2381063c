"""Keys of curves: ``commodity:area:block:venue``, e.g. ``power:DE:base:EEX``. A key has no price type."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aurum.core.errors import Invalid, UnknownName

_COMMODITY = re.compile(r"[a-z][a-z0-9_]*")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_PARTS = 4


class InvalidCurveKey(Invalid):
    """A text that is not a curve key. Facts: ``key``."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key!r} is not a curve key (commodity:area:block:venue): {why}", key=key)


@dataclass(frozen=True, slots=True, order=True)
class CurveKey:
    """The key of a product.

    ``commodity``: lower-case word: power, gas, oil, emissions, coal, rate, fx ... ``area``: market area, hub or contract, as
    the market writes it. ``block``: lower-case block, ``base`` for commodities without blocks. ``venue``: exchange or broker:
    the quotes of two publishers are two products.

    >>> CurveKey.parse("power:DE:base:EEX").area
    'DE'
    """

    commodity: str
    area: str
    block: str
    venue: str

    def __post_init__(self) -> None:
        if not _COMMODITY.fullmatch(self.commodity):
            raise InvalidCurveKey(str(self), f"commodity {self.commodity!r} is not a lower-case word")
        for name in ("area", "block", "venue"):
            part = getattr(self, name)
            if not _PART.fullmatch(part):
                raise InvalidCurveKey(str(self), f"{name} {part!r} has other characters than letters, digits, '_', '.' and '-'")
        if self.block != self.block.lower():
            raise InvalidCurveKey(str(self), f"block {self.block!r} is not in lower case")

    def __str__(self) -> str:
        return f"{self.commodity}:{self.area}:{self.block}:{self.venue}"

    @classmethod
    def parse(cls, text: str) -> CurveKey:
        """Return the key that a text names. Raises ``InvalidCurveKey``."""
        parts = text.split(":")
        if len(parts) != _PARTS:
            raise InvalidCurveKey(text, "four parts are needed")
        return cls(*parts)


def unknown_curve(key: str, nearest: tuple[str, ...] = ()) -> UnknownName:
    """Return the error of a text that names no product: it states the form of a key where the text has another one.

    >>> print(unknown_curve("DE"))
    unknown product 'DE': a key is commodity:area:block:venue, such as power:DE:base:EEX
    """
    error = UnknownName("product", key, nearest)
    try:
        CurveKey.parse(key)
    except InvalidCurveKey:
        form = "a key is commodity:area:block:venue, such as power:DE:base:EEX"
        hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
        error.detail = f"unknown product {key!r}: {form}{hint}"
        error.args = (error.detail,)
    return error
