"""Whether the prices of two curves are independent of each other: neither is derived from the other, nor both from a third."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aurum.storage.ports.curves import StoredProduct
from aurum.storage.ports.derived_curves import DerivedCurveReader, DerivedInput

Inputs = Mapping[int, Sequence[DerivedInput]]
"""Inputs of derived curves, by the id of the curve."""
_PAGE = 1_000


async def read_inputs(derived: DerivedCurveReader, tenant: str | None) -> Inputs:
    """Return the inputs of the derived curves that a tenant sees."""
    inputs: dict[int, Sequence[DerivedInput]] = {}
    after: str | None = None
    while True:
        page = await derived.page(tenant=tenant, after=after, limit=_PAGE)
        inputs |= {one.curve_id: one.inputs for one in page}
        if len(page) < _PAGE:
            return inputs
        after = page[-1].key


def why_dependent(one: StoredProduct, other: StoredProduct, inputs: Inputs) -> str | None:
    """Return why the prices of two curves depend on each other; None where they do not."""
    own, theirs = _sources(one, inputs), _sources(other, inputs)
    if other.curve_id in own:
        return f"{one.product.key} is derived from {other.product.key}"
    if one.curve_id in theirs:
        return f"{other.product.key} is derived from {one.product.key}"
    shared = sorted(own[curve_id] for curve_id in own.keys() & theirs.keys())
    return f"both are derived from {', '.join(shared)}" if shared else None


def _sources(product: StoredProduct, inputs: Inputs) -> Mapping[int, str]:
    """Return a curve and all that it is derived from, however far: keys by curve id."""
    sources = {product.curve_id: str(product.product.key)}
    waiting = [product.curve_id]
    while waiting:
        for one in inputs.get(waiting.pop(), ()):
            if one.curve_id not in sources:
                sources[one.curve_id] = one.key
                waiting.append(one.curve_id)
    return sources
