"""The vocabulary of ``units.toml``: quantities and currencies, and their look-up by any spelling."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Generic, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Quantity:
    """A physical unit. ``definition``: a line of pint, whose left side is the name of the unit in pint."""

    name: str
    dimension: str
    definition: str
    aliases: tuple[str, ...]
    priced: bool

    @property
    def symbol(self) -> str:
        return self.definition.partition("=")[0].strip()


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency, or a hundredth of one. ``code``: ISO 4217, or the code of the hundredth (GBp, USc). ``major``: ISO 4217."""

    code: str
    major: str
    title: str
    aliases: tuple[str, ...]
    quoted: bool

    @property
    def name(self) -> str:
        return self.code

    @property
    def definition(self) -> str:
        return f"{self.code} = [{self.code}]" if self.code == self.major else f"{self.code} = {self.major} / 100"


class Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...


Entry = TypeVar("Entry", bound=Named)


class Spellings(Generic[Entry]):
    """Entries by name and alias. Look-up is exact first, then folded (without case and separators), if that is unambiguous: it
    is not for GBP and GBp."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self.exact: Mapping[str, Entry] = {
            spelling: entry for entry in self.entries for spelling in (*entry.aliases, entry.name)
        }
        folded: dict[str, set[str]] = defaultdict(set)
        for spelling, entry in self.exact.items():
            folded[_folded(spelling)].add(entry.name)
        self.folded = {text: self.exact[names.pop()] for text, names in folded.items() if len(names) == 1}

    def find(self, text: str) -> Entry | None:
        return self.exact.get(text) or self.folded.get(_folded(text))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    quantities: Spellings[Quantity]
    currencies: Spellings[Currency]


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary of ``units.toml``, which is read once."""
    tables = tomllib.loads(files("aurum.core.units").joinpath("units.toml").read_text(encoding="utf-8"))
    currencies = [currency for table in tables["currency"] for currency in _currencies(table)]
    return Vocabulary(Spellings(map(_quantity, tables["quantity"])), Spellings(currencies))


def _quantity(table: dict[str, Any]) -> Quantity:
    aliases = tuple(table.get("aliases", ()))
    return Quantity(table["name"], table["dimension"], table["definition"], aliases, table.get("priced", False))


def _currencies(table: dict[str, Any]) -> list[Currency]:
    code, title, quoted = table["code"], table["title"], table.get("quoted", False)
    major = Currency(code, code, title, tuple(table.get("aliases", ())), quoted)
    if "minor" not in table:
        return [major]
    minor = table["minor"]
    return [major, Currency(minor["code"], code, f"{title} / 100", tuple(minor["aliases"]), quoted)]


def _folded(text: str) -> str:
    return re.sub(r"[\s._-]", "", text).casefold()
