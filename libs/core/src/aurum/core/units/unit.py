"""Units of values: a quantity (MWh), a price (USD/MWh), an exchange rate (USD/EUR) or money (EUR)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from aurum.core.errors import UnknownName
from aurum.core.names import nearest
from aurum.core.units.vocabulary import Currency, Quantity, vocabulary


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the vocabulary, made by ``parse_unit``.

    ``text``: canonical, e.g. ``GBp/therm``. ``dimension``: e.g. ``price of energy``. ``currency``: ISO 4217 code of the
    numerator, None for units without a currency. ``definition``: the unit in the syntax of pint.
    """

    text: str
    dimension: str
    currency: str | None
    definition: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class UnitInfo:
    """A row of the catalog of units. ``aliases``: some other accepted spellings."""

    text: str
    dimension: str
    currency: str | None
    aliases: tuple[str, ...]


def parse_unit(text: str) -> Unit:
    """Return the unit that a text names, in any spelling of the vocabulary. Raises ``UnknownName`` with the nearest units.

    Case does not matter unless it distinguishes two units: ``gbp/therm`` may be pounds or pence, and is refused.

    >>> [parse_unit(text).text for text in ("$/MWHr", "p/th", "cents per kilowatthour", "MAW")]
    ['USD/MWh', 'GBp/therm', 'USc/kWh', 'MW']
    """
    name = re.sub(r"\s*/\s*", "/", re.sub(r"\s+per\s+", "/", text.strip(), flags=re.IGNORECASE))
    unit = _simple(name) or _simple(text.strip()) or _quotient(name)
    if unit is None:
        raise UnknownName("unit", text, _nearest(text))
    return unit


@cache
def known_units() -> tuple[UnitInfo, ...]:
    """Return the units of the catalog: quantities, the quoted currencies, and their prices of every priced quantity.

    Prices in other currencies, and every pair of currencies as an exchange rate, are accepted but not listed.
    """
    return tuple(_infos())


def known_currencies() -> tuple[Currency, ...]:
    """Return all currencies, and their hundredth parts where prices are quoted in them."""
    return vocabulary().currencies.entries


def _simple(name: str) -> Unit | None:
    """Return the quantity or currency of a name. Exact spellings win over folded ones: C is a degree, c is a cent."""
    quantities, currencies = vocabulary().quantities, vocabulary().currencies
    if name not in quantities.exact and name in currencies.exact:
        return _money(currencies.exact[name])
    if quantity := quantities.find(name):
        return _plain(quantity)
    if currency := currencies.find(name):
        return _money(currency)
    return None


def _quotient(name: str) -> Unit | None:
    above, slash, below = name.partition("/")
    currency = vocabulary().currencies.find(above)
    if not slash or currency is None:
        return None
    if (quantity := vocabulary().quantities.find(below)) and quantity.priced:
        return _price(currency, quantity)
    if (base := vocabulary().currencies.find(below)) and _is_pair(currency, base):
        return Unit(f"{currency.code}/{base.code}", "exchange rate", currency.code, f"{currency.code} / {base.code}")
    return None


def _is_pair(currency: Currency, base: Currency) -> bool:
    return currency != base and all(each.code == each.major for each in (currency, base))


def _plain(quantity: Quantity) -> Unit:
    return Unit(quantity.name, quantity.dimension, None, quantity.symbol)


def _money(currency: Currency) -> Unit:
    return Unit(currency.code, "money", currency.major, currency.code)


def _price(currency: Currency, quantity: Quantity) -> Unit:
    return Unit(
        text=f"{currency.code}/{quantity.name}",
        dimension=f"price of {quantity.dimension}",
        currency=currency.major,
        definition=f"{currency.code} / {quantity.symbol}",
    )


def _infos() -> Iterator[UnitInfo]:
    quantities = vocabulary().quantities.entries
    quoted = [currency for currency in known_currencies() if currency.quoted]
    for quantity in quantities:
        yield _info(_plain(quantity), quantity.aliases)
    for currency in quoted:
        yield _info(_money(currency), currency.aliases)
    for currency in quoted:
        for quantity in (quantity for quantity in quantities if quantity.priced):
            aliases = [f"{alias}/{quantity.name}" for alias in currency.aliases]
            aliases += [f"{currency.code}/{alias}" for alias in quantity.aliases]
            yield _info(_price(currency, quantity), tuple(aliases))


def _nearest(text: str) -> tuple[str, ...]:
    """Return up to five canonical texts of the units with the nearest spellings, each once."""
    by_spelling = {spelling: info.text for info in known_units() for spelling in (info.text, *info.aliases)}
    return tuple(dict.fromkeys(by_spelling[close] for close in nearest(text, by_spelling, count=20)))[:5]


def _info(unit: Unit, aliases: tuple[str, ...]) -> UnitInfo:
    return UnitInfo(unit.text, unit.dimension, unit.currency, aliases)
