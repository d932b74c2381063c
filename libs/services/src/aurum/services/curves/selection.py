"""The products that a question names, by key or by pattern."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.curves.reading import CurveReading
from aurum.storage.ports.curves import ProductFilter, StoredProduct

ANY = "*"
MOST_CURVES = 1_000
"""Products that one question may be about."""
MOST_PATTERNS = 50
"""Patterns in one question: each is a search of its own."""


async def curve_of(reading: CurveReading, key: str, *, field: str | None = None) -> StoredProduct:
    """Return a product that the caller may read. ``field``: the member of a body that has the key; None: it is the only one.

    Raises ``UnknownName`` with the nearest keys, also for another tenant's product.
    """
    try:
        return await reading.curves.product(key, tenant=reading.tenant)
    except UnknownName as error:
        if field is not None:
            raise error.at(field) from None
        raise


async def curves_of(reading: CurveReading, names: Sequence[str], *, parameter: str = "curve") -> Sequence[StoredProduct]:
    """Return the products of some keys, and those with quotes of some patterns, ascending by key, without repeats.

    A text may hold several names, separated by commas; in a pattern ``*`` stands for any text. ``parameter``: the one that
    errors name. Raises ``InvalidParameters`` for a pattern that matches nothing, for no name and for more than
    ``MOST_CURVES`` or ``MOST_PATTERNS``, ``UnknownName`` for a key that the caller cannot read.
    """
    requested = list(dict.fromkeys(name.strip() for text in names for name in text.split(",") if name.strip()))
    if not requested:
        raise InvalidParameters((parameter, "is missing: name a curve, or a pattern such as power:DE:*", None))
    if len(requested) > MOST_CURVES:
        raise _too_many(parameter, ",".join(requested[:3]))
    patterns = [name for name in requested if ANY in name]
    if len(patterns) > MOST_PATTERNS:
        why = f"has {len(patterns):,} patterns, and may have {MOST_PATTERNS}: name the curves, or send several requests"
        raise InvalidParameters((parameter, why, ",".join(patterns[:3])))
    by_key: dict[str, StoredProduct] = {}
    for pattern in patterns:
        members = await _matching(reading, pattern)
        if not members:
            why = f"no curve matches {pattern!r}; GET /v2/curves lists the curves"
            raise InvalidParameters((parameter, why, pattern))
        if len(members) > MOST_CURVES:
            raise _too_many(parameter, pattern)
        by_key |= {str(one.product.key): one for one in members}
    exact = [name for name in requested if ANY not in name and name not in by_key]
    if len(exact) > 1:
        members = await reading.curves.products(ProductFilter(keys=tuple(exact)), tenant=reading.tenant)
        by_key |= {str(one.product.key): one for one in members}
    for name in exact:
        if name not in by_key:
            by_key[name] = await curve_of(reading, name, field=parameter)
    if len(by_key) > MOST_CURVES:
        raise _too_many(parameter, ",".join(requested[:3]))
    return [by_key[key] for key in sorted(by_key)]


async def _matching(reading: CurveReading, pattern: str) -> Sequence[StoredProduct]:
    """Return the products with quotes that match a pattern, and where none of them has quotes, those without."""
    most = MOST_CURVES + 1
    quoted = await reading.curves.products(ProductFilter(keys=(pattern,), quoted=True), tenant=reading.tenant, limit=most)
    return quoted or await reading.curves.products(ProductFilter(keys=(pattern,)), tenant=reading.tenant, limit=most)


def _too_many(parameter: str, name: str) -> InvalidParameters:
    why = f"names more than {MOST_CURVES:,} curves: narrow it, or send several requests"
    return InvalidParameters((parameter, why, name))
