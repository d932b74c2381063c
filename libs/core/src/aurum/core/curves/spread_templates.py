"""Templates of spreads (``spread_templates.toml``): the legs that a spread has, their signs, and how a price of each counts."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import cast

from aurum.core.curves.documents import Document
from aurum.core.errors import UnknownName
from aurum.core.names import nearest

CUSTOM = "custom"
"""The template without legs of its own."""


class LegUse(StrEnum):
    """How the price of a leg counts."""

    PLAIN = "plain"
    """In the unit of the answer."""
    OUTPUT = "output"
    """The same; the power whose price implies a heat rate."""
    FUEL = "fuel"
    """Times the heat rate."""
    EMISSIONS = "emissions"
    """Times the heat rate and the emission intensity."""


@dataclass(frozen=True, slots=True)
class TemplateLeg:
    """A leg. ``sign``: 1: bought, -1: sold. ``weight``: its default size. ``like``: the leg whose curve it takes, or None."""

    name: str
    title: str
    sign: int
    use: LegUse = LegUse.PLAIN
    weight: float = 1.0
    like: str | None = None


@dataclass(frozen=True, slots=True)
class SpreadTemplate:
    """A template.

    ``formula``: in words. ``legs``: in the order of answers; empty: those of the question, with signed weights. ``unit_of``:
    the leg in whose unit the answer is by default; None: the first. ``dimension``: of that unit; None: any. ``per``: weights
    are amounts for one unit of this leg; None: amounts as they are. ``energy_content``: default energy per mass of the fuel, in
    ``energy_content_unit``, with its source.
    """

    name: str
    title: str
    formula: str
    legs: tuple[TemplateLeg, ...]
    unit_of: str | None = None
    dimension: str | None = None
    per: str | None = None
    energy_content: float | None = None
    energy_content_unit: str = "MWh/t"
    energy_content_source: str | None = None

    def leg(self, use: LegUse) -> TemplateLeg | None:
        """Return the leg with a use; None without one."""
        return next((one for one in self.legs if one.use is use), None)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters that apply."""
        names: tuple[str, ...] = ()
        if self.leg(LegUse.FUEL) is not None:
            names += _OF_FUEL
        if self.leg(LegUse.EMISSIONS) is not None:
            names += _OF_EMISSIONS
        return names

    @property
    def required(self) -> tuple[str, ...]:
        """The parameters without which there is no answer; of ``efficiency`` and ``heat_rate`` one is enough."""
        names = ("efficiency",) if self.leg(LegUse.FUEL) is not None else ()
        return (*names, "emission_intensity") if self.leg(LegUse.EMISSIONS) is not None else names


_OF_FUEL = (
    "efficiency",
    "heat_rate",
    "heat_rate_unit",
    "heating_value",
    "fuel_heating_value",
    "lhv_to_hhv",
    "energy_content",
    "energy_content_unit",
)
_OF_EMISSIONS = ("emission_intensity", "emission_heating_value")


@cache
def default_spread_templates() -> tuple[SpreadTemplate, ...]:
    """Return the templates of ``spread_templates.toml``, in its order."""
    text = files("aurum.core.curves").joinpath("spread_templates.toml").read_text(encoding="utf-8")
    return tuple(read_spread_template(table) for table in tomllib.loads(text)["template"])


def spread_template(name: str, templates: Iterable[SpreadTemplate] | None = None) -> SpreadTemplate:
    """Return the template of a name. Raises ``UnknownName`` with the nearest names."""
    by_name = {one.name: one for one in templates or default_spread_templates()}
    if name not in by_name:
        folded = name.casefold().replace("-", "_").replace(" ", "_").removesuffix("_spread")
        raise UnknownName("spread template", name, nearest(folded, by_name) or tuple(by_name))
    return by_name[name]


def read_spread_template(document: Mapping[str, object]) -> SpreadTemplate:
    """Return the template that a TOML table describes. Raises ``InvalidDocument``."""
    read = Document("spread template", document, SpreadTemplate.__dataclass_fields__)
    tables = cast("Mapping[str, object]", read.optional("legs", dict) or {})
    legs = tuple(_leg(name, table) for name, table in tables.items())
    names = [one.name for one in legs]
    for field in ("unit_of", "per"):
        named = read.optional(field, str)
        if named is not None and named not in names:
            raise read.refused(field, f"must be one of the legs {', '.join(names)}", named)
    return SpreadTemplate(
        name=read.word("name"),
        title=read.text("title"),
        formula=read.text("formula"),
        legs=legs,
        unit_of=read.optional("unit_of", str),
        dimension=read.note("dimension"),
        per=read.optional("per", str),
        energy_content=read.positive("energy_content") if "energy_content" in document else None,
        energy_content_unit=read.note("energy_content_unit") or "MWh/t",
        energy_content_source=read.note("energy_content_source"),
    )


def _leg(name: str, table: object) -> TemplateLeg:
    members = cast("Mapping[str, object]", table if isinstance(table, dict) else {})
    read = Document(f"leg {name}", members, TemplateLeg.__dataclass_fields__)
    use = read.note("use") or LegUse.PLAIN
    if use not in list(LegUse):
        raise read.refused("use", f"must be one of {', '.join(LegUse)}", use)
    weight = read.positive("weight") if "weight" in read.members else 1.0
    return TemplateLeg(
        name, read.text("title"), read.whole("sign", among=(1, -1)), LegUse(use), weight, read.optional("like", str)
    )
