"""The table of operators' words for fuels, ``fuels.toml``, and the look-up of a word in any spelling."""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from aurum.core.catalog.dimensions import FUEL_DETAILS, Fuel, Kind
from aurum.core.errors import UnknownName
from aurum.core.names import nearest

_BETWEEN = re.compile(r"[\s_-]+")
_NO_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class FuelWord:
    """The meaning of an operator's word.

    ``fuel``: None for a word that names something else. ``kind``: None for that of the fuels beside it, which is generation or
    a forecast of it.
    """

    fuel: Fuel | None
    detail: str | None = None
    kind: Kind | None = None


UNMAPPED = FuelWord(Fuel.UNMAPPED)
"""The meaning of a word that is not in the table."""


def fuel_word(operator: str, word: str) -> FuelWord:
    """Return the meaning of an operator's word; ``UNMAPPED`` for one that is not in the table.

    Case, width, blanks, hyphens and underscores make no difference. Raises ``UnknownName`` for an operator without a table.

    >>> fuel_word("nyiso", "Dual fuel").fuel, fuel_word("japan", "火力（ＬＮＧ）").fuel, fuel_word("miso", "Antimatter").fuel
    (<Fuel.DUAL_FUEL: 'dual_fuel'>, <Fuel.GAS: 'gas'>, <Fuel.UNMAPPED: 'unmapped'>)
    """
    tables = fuel_table()
    if operator not in tables:
        raise UnknownName("operator", operator, nearest(operator, tables) or tuple(tables))
    return tables[operator].get(folded(word), UNMAPPED)


def slug(word: str) -> str:
    """Return a word as a part of a measure: lower-case letters, digits and underscores; a short digest where none is left.

    >>> slug("Flux Capacitor"), slug("原子力")
    ('flux_capacitor', 'word_31eeb0')
    """
    plain = unicodedata.normalize("NFKD", folded(word)).encode("ascii", "ignore").decode()
    return _NO_WORD.sub("_", plain).strip("_") or f"word_{hashlib.sha256(folded(word).encode()).hexdigest()[:6]}"


def folded(word: str) -> str:
    """Return a word as it is compared: without differences of case, width, blanks, hyphens and underscores."""
    return _BETWEEN.sub(" ", unicodedata.normalize("NFKC", word).casefold()).strip()


@cache
def fuel_table() -> Mapping[str, Mapping[str, FuelWord]]:
    """Return the table of ``fuels.toml``, read once: the meaning of each folded word, by operator.

    Raises ``ValueError`` for a word with two meanings, and for names that are in no list.
    """
    tables = tomllib.loads(files("aurum.core.catalog").joinpath("fuels.toml").read_text(encoding="utf-8"))
    return MappingProxyType({operator: _words(f"fuels.toml: {operator}", words) for operator, words in tables.items()})


def fuel_words(words: Mapping[str, str | Mapping[str, str]]) -> Mapping[str, FuelWord]:
    """Return a table of words for fuels, folded, in place of the table of an operator in ``fuels.toml``.

    ``words``: what each word means, written as in that file. Raises ``ValueError`` for a word with two meanings, and for
    names that are in no list.

    >>> fuel_words({"Erdgas": "gas", "Laufwasser": "hydro/hydro_run_of_river", "Summe": {"kind": "generation"}})["erdgas"].fuel
    <Fuel.GAS: 'gas'>
    """
    return _words("words for fuels", words)


def _words(table: str, words: Mapping[str, Any]) -> Mapping[str, FuelWord]:
    meanings: dict[str, FuelWord] = {}
    for word, text in words.items():
        meaning = _meaning(table, text)
        if meanings.setdefault(folded(word), meaning) != meaning:
            raise ValueError(f"{table} has two meanings of {word!r}")
    return MappingProxyType(meanings)


def _meaning(table: str, entry: str | Mapping[str, str]) -> FuelWord:
    name, kind = (entry, None) if isinstance(entry, str) else (entry.get("fuel"), Kind(entry["kind"]))
    if name is None:
        return FuelWord(None, kind=kind)
    group, _, detail = name.partition("/")
    fuel = Fuel(group)
    if detail and detail not in FUEL_DETAILS.get(fuel, ()):
        raise ValueError(f"{table}: {group} does not have the detail {detail!r}")
    return FuelWord(fuel, detail or None, kind)
