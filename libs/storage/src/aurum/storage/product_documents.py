"""Products from the documents of a store. Terms are checked where they are written, not where they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Product, Weighting

_TERMS = frozenset(field.name for field in fields(Product))
"""A newer release may have stored others."""


def product_of(document: Mapping[str, Any]) -> Product:
    """Return the product of a stored document."""
    terms = {name: value for name, value in document.items() if name in _TERMS}
    terms |= {"key": CurveKey.parse(document["key"]), "weighting": Weighting(document["weighting"])}
    return Product(**terms)
