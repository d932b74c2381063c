"""Documents of ``/v2/products``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from aurum.api.contract.schemas import PageMeta
from aurum.api.contract.text import Text
from aurum.api.curves.documents import Owner, ProductDocument
from aurum.core.curves.products import Weighting

LongText = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]

_EXAMPLE: dict[str, JsonValue] = {
    "key": "power:DE:base:DESK",
    "title": "Our marks of German base",
    "unit": "EUR/MWh",
    "tick": 0.01,
    "calendar": "eu_power",
    "seasons": "europe",
}


class NewProduct(BaseModel):
    """A product to add."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    key: Text = Field(description="`commodity:area:block:venue`; the venue of your own is your own name, such as `DESK`.")
    title: Text
    unit: Text = Field(description="Unit of the prices, in any spelling of `/v2/catalog/units`.")
    tick: float = Field(strict=True, gt=0, allow_inf_nan=False, description="Smallest step of a price.")
    calendar: Text = Field(description="Name of a delivery calendar; see `/v2/calendars`.")
    currency: Text | None = Field(default=None, description="ISO 4217 code. Default: that of the unit.")
    calendar_block: Text | None = Field(
        default=None,
        description="Block of the calendar in whose hours it delivers, such as `PEAK`; `null`: all hours. Default: the block "
        "that the key names (`peak` is `PEAK`, in American calendars `ON_PEAK`), all hours for `base` and in calendars without "
        "blocks. A key with another word needs it.",
    )
    weighting: Weighting | None = Field(default=None, description="Weights of strips. Default: hours for power, else days.")
    seasons: Text | None = Field(default=None, description="Name of a family of seasons. Default: none.")
    sessions: Text | None = Field(default=None, description="Calendar of sessions. Default: unknown.")
    lot: LongText | None = Field(default=None, description="Contract size in words.")
    listing: LongText | None = Field(default=None, description="Listing rule in words.")
    expiry: LongText | None = Field(
        default=None,
        description="Expiry rule in words, parts between semicolons. Contracts can roll by their last trading days where a "
        "part reads as `last business day of the month before delivery` or `quarters and years: three business days before the "
        "first day of the delivery period` do; the guide of curves lists the forms.",
    )
    settles_on: Text | None = Field(default=None, description="Key of the series of spot prices that it settles on.")
    owner: Owner = Field(default="tenant", description="`tenant`: yours. `shared`: of all, which needs `admin:write`.")


class ProductChanges(BaseModel):
    """New terms of a product; those that are left out stay. A product with quotes keeps its unit, calendar and block."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"title": "Marks of the desk", "version": 1}]})

    title: Text | None = None
    unit: Text | None = None
    tick: float | None = Field(default=None, strict=True, gt=0, allow_inf_nan=False)
    calendar: Text | None = None
    currency: Text | None = None
    calendar_block: Text | None = None
    weighting: Weighting | None = None
    seasons: Text | None = None
    sessions: Text | None = None
    lot: LongText | None = None
    listing: LongText | None = None
    expiry: LongText | None = None
    settles_on: Text | None = None
    version: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=2**53,
        description="Version that you have read: another one is a conflict. Default: the current one.",
    )


class ProductsPage(BaseModel):
    """A page of products, ascending by key."""

    data: list[ProductDocument]
    meta: PageMeta


class ProductAnswer(BaseModel):
    data: ProductDocument
