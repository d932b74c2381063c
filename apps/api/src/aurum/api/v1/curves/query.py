"""Filters of curves, and the products that match them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from aurum.api.contract.text import Text
from aurum.services.curves import CurveReading
from aurum.storage.ports.curves import ProductFilter, StoredProduct

_DIMENSIONS = ("curve_key", "asset_class", "iso", "location", "market", "product", "block")


class CurvesQuery(BaseModel):
    """The filters that select curves; every filter that is set must match, in upper or lower case."""

    model_config = ConfigDict(frozen=True)

    curve_key: Annotated[Text | None, Query(description="Key of a curve.", examples=["power:DE:base:EEX"])] = None
    asset_class: Annotated[Text | None, Query(description="Commodity.", examples=["power"])] = None
    iso: Annotated[Text | None, Query(description="Area, or the beginning of it.", examples=["PJM"])] = None
    location: Annotated[Text | None, Query(description="Area, or a part of it.", examples=["WESTERN"])] = None
    market: Annotated[Text | None, Query(description="Venue.", examples=["EEX"])] = None
    product: Annotated[Text | None, Query(description="A word of the title or the key.", examples=["german"])] = None
    block: Annotated[Text | None, Query(description="Block.", examples=["base"])] = None

    @property
    def is_empty(self) -> bool:
        """Whether no filter is set."""
        return all(getattr(self, name) is None for name in _DIMENSIONS)

    async def products(self, reading: CurveReading) -> Sequence[StoredProduct]:
        """Return the curves with quotes that match, ascending by key."""
        quoted = await reading.curves.products(ProductFilter(quoted=True), tenant=reading.tenant)
        return [one for one in quoted if self._matches(one)]

    def _matches(self, stored: StoredProduct) -> bool:
        key = stored.product.key
        area = key.area.casefold()
        named = f"{key} {stored.product.title}".casefold()
        wanted = {name: text.casefold() for name in _DIMENSIONS if (text := getattr(self, name)) is not None}
        is_equal = {
            "curve_key": str(key).casefold(),
            "asset_class": key.commodity,
            "market": key.venue.casefold(),
            "block": key.block,
        }
        return (
            all(wanted.get(name, own) == own for name, own in is_equal.items())
            and area.startswith(wanted.get("iso", ""))
            and wanted.get("location", "") in area
            and wanted.get("product", "") in named
        )
