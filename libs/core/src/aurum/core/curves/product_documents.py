"""Reading of products from documents, with a check of everything that they name, and the products of ``products.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from aurum.core.calendars import Block, default_blocks, parse_block
from aurum.core.curves.calendars import DeliveryCalendar, default_delivery_calendars, parse_delivery_calendar
from aurum.core.curves.documents import Document
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Product, Weighting, default_weighting
from aurum.core.curves.seasons import default_season_families
from aurum.core.curves.sessions import default_session_calendars
from aurum.core.errors import UnknownName
from aurum.core.keys import SeriesKey
from aurum.core.units import Unit, converts, known_currencies, parse_unit


@dataclass(frozen=True, slots=True)
class ReferenceNames:
    """The reference data that products may name. Of two calendars or blocks of one name the first counts."""

    calendars: tuple[DeliveryCalendar, ...]
    blocks: tuple[Block, ...]
    seasons: Collection[str]
    sessions: Collection[str]


@cache
def default_reference_names() -> ReferenceNames:
    """Return the reference data of the package."""
    return ReferenceNames(
        default_delivery_calendars(),
        default_blocks(),
        tuple(family.name for family in default_season_families()),
        tuple(calendar.name for calendar in default_session_calendars()),
    )


def read_product(document: Mapping[str, object], names: ReferenceNames | None = None) -> Product:
    """Return the product that a JSON or TOML document describes.

    Required: ``key``, ``title``, ``unit``, ``tick``, ``calendar``. ``unit`` of power, gas, oil, emissions and coal is a price,
    of ``rate`` a number. ``currency`` is that of the unit, also when it is left out. ``weighting`` is by default that of the
    commodity: power by hours, all others by days. ``block`` is by default the block of the calendar that the key names, which
    has to exist; none for ``base``, for a calendar without blocks, and when it is null. The other members are those of
    ``Product``. ``names``: the reference data that it may name, by default the package's. Raises ``InvalidDocument`` about the
    first member that is wrong.
    """
    names = default_reference_names() if names is None else names
    read = Document("product", document, Product.__dataclass_fields__)
    key = read.checked("key", CurveKey.parse)
    unit = _unit(read, key)
    calendar = read.checked("calendar", lambda name: parse_delivery_calendar(name, names.calendars))
    return Product(
        key=key,
        title=read.text("title"),
        currency=_currency(read, unit),
        unit=unit.text,
        tick=read.positive("tick"),
        calendar=calendar.name,
        block=_block(read, key, calendar, names),
        weighting=_weighting(read, key),
        seasons=_among(read, "seasons", names.seasons),
        sessions=_among(read, "sessions", names.sessions),
        lot=read.note("lot") or "",
        listing=read.note("listing") or "",
        expiry=read.note("expiry") or "",
        settles_on=None if read.optional("settles_on", str) is None else str(read.checked("settles_on", SeriesKey.parse)),
    )


@cache
def default_products() -> tuple[Product, ...]:
    """Return the products of ``products.toml``, ascending by key.

    A family of products has the terms that its areas share. An area or a block may have terms of its own: those of the block
    win over those of the area, and these over those of the family.
    """
    seeds = tomllib.loads(files("aurum.core.curves").joinpath("products.toml").read_text(encoding="utf-8"))
    products = [read_product(terms) for family in seeds["family"] for terms in _members(family, seeds["areas"])]
    return tuple(sorted(products, key=lambda product: product.key))


_OF_FAMILY = ("commodity", "venue", "areas", "only", "blocks")
"""Members of a family that are not terms of its products."""
_ALL_HOURS = "base"
_COMMODITIES = frozenset({"power", "gas", "oil", "emissions", "coal"})
"""Commodities whose quotes are prices. Quotes of others, such as weather, may be in units without a currency."""
"""Block of keys of products that deliver in all hours."""
_BASE = {_ALL_HOURS: {"title": ""}}


def _members(family: dict[str, Any], lists: dict[str, dict[str, dict[str, Any]]]) -> Iterable[Mapping[str, object]]:
    """Return the documents of the products of a family."""
    shared = {name: value for name, value in family.items() if name not in _OF_FAMILY}
    areas = lists[family["areas"]] if isinstance(family["areas"], str) else family["areas"]
    for area in family.get("only", areas):
        for block, of_block in family.get("blocks", _BASE).items():
            terms = shared | areas[area] | of_block
            words = {"area": area, "place": areas[area]["title"], "block": of_block["title"]}
            named = {name: value.format(**words) if isinstance(value, str) else value for name, value in terms.items()}
            named |= {
                "key": f"{family['commodity']}:{area}:{block}:{family['venue']}",
                "title": shared["title"].format(**words),
            }
            yield named


def _currency(read: Document, unit: Unit) -> str | None:
    currency = read.optional("currency", str)
    if currency is not None and currency not in {known.major for known in known_currencies()}:
        raise read.refused("currency", "must be a currency of ISO 4217 such as EUR", currency)
    if currency is not None and currency != unit.currency:
        raise read.refused("currency", f"must be that of the unit {unit}, {unit.currency or 'which has none'}", currency)
    return unit.currency


def _unit(read: Document, key: CurveKey) -> Unit:
    unit = read.checked("unit", parse_unit)
    if key.commodity == "rate":
        if not converts(unit, parse_unit("1")):
            raise read.refused("unit", "must be a number without a unit, 1 or %, because the quotes are rates", unit.text)
    elif key.commodity in _COMMODITIES and unit.currency is None:
        raise read.refused("unit", f"must be a price of {key.commodity}, such as EUR/MWh", unit.text)
    return unit


def _block(read: Document, key: CurveKey, calendar: DeliveryCalendar, names: ReferenceNames) -> str | None:
    stated = read.optional("block", str)
    if calendar.blocks is None:
        if stated is None:
            return None
        raise read.refused("block", f"must be left out: the calendar {calendar.name} has no blocks", stated)
    of_calendar = calendar.blocks
    blocks = [block for block in names.blocks if block.calendar == of_calendar]
    if stated is not None:
        return read.checked("block", lambda name: parse_block(of_calendar, name, blocks)).name
    if "block" in read.members or key.block == _ALL_HOURS:
        return None
    try:
        return parse_block(of_calendar, key.block, blocks).name
    except UnknownName:
        known = ", ".join(dict.fromkeys(block.name for block in blocks))
        why = f"must be stated: the calendar {calendar.name} has no block of the name in the key; it has {known}"
        what = f"Send one of them, or null if {key} delivers in all hours"
        raise read.refused("block", f"{why}. {what}", key.block) from None


def _weighting(read: Document, key: CurveKey) -> Weighting:
    text = read.optional("weighting", str)
    if text is None:
        return default_weighting(key.commodity)
    if text not in tuple(Weighting):
        raise read.refused("weighting", f"must be one of {', '.join(Weighting)}", text)
    return Weighting(text)


def _among(read: Document, field: str, names: Collection[str]) -> str | None:
    name = read.optional(field, str)
    if name is not None and name not in names:
        raise read.refused(field, f"must be one of {', '.join(names)}", name)
    return name
