"""Documents about products and their reference data."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from aurum.core.curves.periods import PeriodKind
from aurum.core.curves.products import Weighting
from aurum.storage.ports.curves import StoredProduct

PERIOD_EXAMPLE = {
    "label": "Q1-25",
    "kind": "quarter",
    "start": "2024-12-31T23:00:00Z",
    "end": "2025-03-31T22:00:00Z",
    "hours": 2159,
}

Owner = Literal["shared", "tenant"]


class PeriodDocument(BaseModel):
    """A delivery period."""

    model_config = ConfigDict(json_schema_extra={"examples": [dict(PERIOD_EXAMPLE)]})

    label: str
    kind: PeriodKind
    start: datetime = Field(description="Start of the first delivery day, UTC.")
    end: datetime = Field(description="End of the last delivery day, UTC, exclusive.")
    hours: float = Field(description="Hours of the product's block within the period.")


class CalendarDocument(BaseModel):
    """A delivery calendar: the days in which products deliver."""

    name: str = Field(examples=["eu_power"])
    title: str
    zone: str = Field(description="IANA name of the clock in which its days are counted.", examples=["Europe/Berlin"])
    day_start: str = Field(description="Local time at which a delivery day begins.", examples=["00:00"])
    day_offset: int = Field(description="-1: a delivery day begins on the local day before its date; else 0.")
    blocks: str | None = Field(description="Calendar of the blocks of its products; null: it has only base.")


class ProductDocument(BaseModel):
    """A product: what is traded, with the terms by which its quotes are read."""

    key: str = Field(description="`commodity:area:block:venue`.", examples=["power:DE:base:EEX"])
    commodity: str
    area: str
    block: str
    venue: str
    title: str
    currency: str | None = Field(description="ISO 4217 code; null where none applies.")
    unit: str = Field(description="Unit of the prices.", examples=["EUR/MWh"])
    tick: float = Field(description="Smallest step of a price, in `unit`.")
    calendar: str = Field(description="Name of the delivery calendar; see `/v2/calendars`.")
    calendar_block: str | None = Field(description="Block of that calendar in whose hours it delivers; null: all hours.")
    weighting: Weighting = Field(description="How the parts of its strips are weighted.")
    seasons: str | None = Field(description="Name of its family of seasons; null: it has none.")
    sessions: str | None = Field(description="Calendar of the sessions of its venue; null: unknown.")
    lot: str
    listing: str
    expiry: str
    settles_on: str | None = Field(description="Key of the series of spot prices that it settles on; null: unknown.")
    owner: Owner = Field(description="`shared`: it belongs to all; `tenant`: to the caller's tenant.")
    version: int = Field(description="Rises whenever its quotes or its terms change.")

    @staticmethod
    def members(stored: StoredProduct) -> dict[str, object]:
        """Return the members of the document of a product."""
        product = stored.product
        key = product.key
        return {
            "key": str(key),
            "commodity": key.commodity,
            "area": key.area,
            "block": key.block,
            "venue": key.venue,
            "title": product.title,
            "currency": product.currency,
            "unit": product.unit,
            "tick": product.tick,
            "calendar": product.calendar,
            "calendar_block": product.block,
            "weighting": product.weighting,
            "seasons": product.seasons,
            "sessions": product.sessions,
            "lot": product.lot,
            "listing": product.listing,
            "expiry": product.expiry,
            "settles_on": product.settles_on,
            "owner": "shared" if stored.tenant is None else "tenant",
            "version": stored.version,
        }
