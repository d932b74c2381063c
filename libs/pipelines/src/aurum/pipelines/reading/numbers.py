"""Reads numbers: decimal texts as Float64, and whole ones as Int64; null for every other text.

A number has ASCII digits, a decimal point, a sign and an exponent at most: ``-1.5``, ``1e3``. No blank, underscore,
hexadecimal, NaN or infinity, nothing that a float cannot hold (``1e400``). A decimal comma is never guessed; thousands
separators and decimal commas are read only where a format declares them.
"""

from __future__ import annotations

import polars as pl

_THOUSANDS = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?$"
_COMMA = r"^[+-]?[0-9]+(?:,[0-9]*)?$"
_WHOLE = r"^[+-]?[0-9]{1,18}$"


def numbers(text: pl.Expr, *, thousands: bool = False, decimal_comma: bool = False) -> pl.Expr:
    """Return the numbers of texts. ``thousands``: the format writes ``12,345.6``; a comma elsewhere gives null.

    ``decimal_comma``: the format writes ``12,5``; a point gives null.
    """
    if decimal_comma:
        text = pl.when(text.str.contains(_COMMA)).then(text.str.replace(",", ".", literal=True))
    if thousands:
        grouped = text.str.contains(_THOUSANDS)
        text = pl.when(grouped).then(text.str.replace_all(",", "", literal=True)).otherwise(text)
    # The cast is that strict already, but for the words of NaN and infinity.
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def whole(text: pl.Expr) -> pl.Expr:
    """Return the whole numbers of texts such as ``24`` or ``-1``; null for ``24.0``."""
    return pl.when(text.str.contains(_WHOLE)).then(text).otherwise(None).cast(pl.Int64, strict=False)


def whole_of(text: object) -> int | None:
    """Return the whole number of one text; None where it is not one."""
    if not isinstance(text, str):
        return None
    return pl.DataFrame({"text": [text]}).select(whole(pl.col("text"))).item()
