"""Contracts of futures exchanges, from ``contracts.toml``: the words by which files name them, and the month they deliver."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from aurum.core.curves.keys import CurveKey
from aurum.pipelines.source import SourceFile

_WORD = re.compile(r"[a-z0-9]+")
_VENUES: Mapping[str, str] = {"nymex": "NYMEX", "cme": "NYMEX", "ice": "ICE", "endex": "ICE", "ipe": "ICE"}
"""Venue by the words that a name may have for it."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract. ``months``: from the month of its expiry to that of its delivery.

    ``until``: last days of expiry with other numbers of months, ascending.
    """

    key: CurveKey
    words: frozenset[str]
    months: int
    until: tuple[tuple[date, int], ...] = ()

    def delivery(self, expiry: pl.Expr) -> pl.Expr:
        """Return the first day of the delivery month of contracts that expire on some days (Date)."""
        first = expiry.dt.truncate("1mo")
        latest = first.dt.offset_by(f"{self.months}mo")
        if not self.until:
            return latest
        earlier = (pl.when(expiry <= last).then(first.dt.offset_by(f"{months}mo")) for last, months in self.until)
        return pl.coalesce(*earlier, latest)


@cache
def contracts() -> tuple[Contract, ...]:
    """Return the contracts that are known, in the order of their table."""
    return tuple(
        Contract(
            CurveKey.parse(one["key"]),
            frozenset(one["words"]),
            one["months"],
            tuple((rule["last"], rule["months"]) for rule in one.get("until", ())),
        )
        for one in _listed()
    )


@cache
def _listed() -> list[dict[str, Any]]:
    with (Path(__file__).parent / "contracts.toml").open("rb") as file:
        return tomllib.load(file)["contract"]


def named_contract(document: SourceFile) -> Contract | None:
    """Return the contract that the name of a file says; None where it says none, or several."""
    words = _words(document.name)
    venues = {_VENUES[word] for word in words if word in _VENUES}
    matching = [one for one in contracts() if one.words & words and (not venues or one.key.venue in venues)]
    if not matching or len({one.key.area for one in matching}) > 1:
        return None
    return matching[0]


def known_words() -> str:
    """Return the first word of each contract, for messages."""
    return ", ".join(dict.fromkeys(str(one["words"][0]) for one in _listed()))


def _words(name: str) -> frozenset[str]:
    """Return the words of a name in lower case: parts of letters and digits, without digits at their end, and pairs joined."""
    parts = _WORD.findall(name.rpartition(".")[0].lower() or name.lower())
    plain = [part.rstrip("0123456789") for part in parts]
    return frozenset((*parts, *plain, *map("".join, pairwise(plain)))) - {""}
