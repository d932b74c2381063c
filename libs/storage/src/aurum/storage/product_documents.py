"""Products as documents of a store, and back. Terms are checked where they are written, not where they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Product, Weighting

_TERMS = frozenset(field.name for field in fields(Product))
"""A newer release may have stored others."""


def document_of(product: Product) -> dict[str, object]:
    """Return the terms of a product as a document that JSON can hold."""
    return {**asdict(product), "key": str(product.key), "weighting": str(product.weighting)}


def product_of(document: Mapping[str, Any]) -> Product:
    """Return the product of a stored document."""
    terms = {name: value for name, value in document.items() if name in _TERMS}
    terms |= {"key": CurveKey.parse(document["key"]), "weighting": Weighting(document["weighting"])}
    return Product(**terms)
