"""Rules of mappings: the spelling is unknown to the release, and the target is known."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from aurum.core.catalog.dimensions import FUEL_DETAILS, Fuel
from aurum.core.catalog.fuels import folded as folded_word
from aurum.core.catalog.fuels import fuel_table
from aurum.core.catalog.mapping_kinds import ANY_SCOPE, MappingKind
from aurum.core.catalog.places import place_names
from aurum.core.curves.broker_labels import KINDS, Scheme, area_of, folded, schemes, venues
from aurum.core.curves.period_labels import InvalidPeriod
from aurum.core.curves.periods import parse_period
from aurum.core.curves.reading_terms import folded_words
from aurum.core.curves.seasons import default_season_families
from aurum.core.errors import Conflict, InvalidParameters, UnknownName
from aurum.core.names import nearest
from aurum.core.units import Unit, converts, parse_unit
from aurum.core.visible import as_latin

_TRADE_DATE = date(2025, 1, 15)
_FORMS = ("{}", "{} 2026", "{}-26", "1 {} 2026", "{}1 2026")
"""Labels in which a word of a period may stand."""
_SHOWN = 20
_FUELS = frozenset(
    text
    for fuel in Fuel
    if fuel is not Fuel.UNMAPPED
    for text in (str(fuel), *(f"{fuel}/{detail}" for detail in FUEL_DETAILS.get(fuel, ())))
)


def check_label(kind: MappingKind, spelling: str, target: str, scope: str) -> tuple[str, str]:
    """Return the folded spelling and the canonical word of a label. Raises ``InvalidParameters`` and ``Conflict``."""
    scheme = _scheme(scope)
    words = scheme.words[scheme.headers[KINDS.index(kind)]]
    word = _among(target, set(words.values()), str(kind))
    text = _folded(spelling)
    _refuse_known(kind, spelling, word, lambda label: words.get(folded(label)))
    return text, word


def check_area(spelling: str, target: str, scope: str) -> tuple[str, str]:
    """Return the folded spelling and the place of a region or market operator. Raises like ``check_label``."""
    return check_label(MappingKind.AREA, spelling, target, scope)


def check_location(spelling: str, target: str, scope: str) -> tuple[str, str]:
    """Return the folded spelling of a location and its area. Raises like ``check_label``.

    A spelling that another area of the same products has is refused: a column without a place would fit both.
    """
    scheme = _scheme(scope)
    area = _among(target, {area_of(entry) for entry in scheme.entries}, "area")
    text = _folded(spelling)
    products = {entry.kind for entry in scheme.entries if area_of(entry) == area}
    entries = [entry for entry in scheme.entries if entry.kind in products]

    def known_area(label: str) -> str | None:
        areas = {area_of(entry) for entry in entries if folded(label) in entry.locations}
        return area if area in areas else next(iter(sorted(areas)), None)

    _refuse_known(MappingKind.LOCATION, spelling, area, known_area)
    return text, area


def check_period(spelling: str, target: str, scope: str) -> tuple[str, str]:
    """Return the folded word and the word of a period that it stands for. Raises like ``check_label``."""
    if scope != ANY_SCOPE:
        raise InvalidParameters(("scope", f"must be {ANY_SCOPE!r} for words of periods", scope))
    if not _is_readable(target):
        raise InvalidParameters(("target", "must be a word of a label such as Cal, Summer, Q1, Jan or BOM", target))
    text = folded_words(spelling)
    if not any(character.isalpha() for character in text):
        raise InvalidParameters(("spelling", "must have a letter", spelling))
    _refuse_known(
        MappingKind.PERIOD, spelling, folded_words(target), lambda word: folded_words(word) if _is_readable(word) else None
    )
    return text, target


def check_unit(spelling: str, target: str, scope: str) -> tuple[str, str]:
    """Return the folded spelling and the canonical text of a unit. Raises like ``check_label``."""
    if scope != ANY_SCOPE:
        raise InvalidParameters(("scope", f"must be {ANY_SCOPE!r} for units", scope))
    unit = _unit(target)

    def known(text: str) -> str | None:
        try:
            return parse_unit(text).text
        except UnknownName:
            return None

    _refuse_known(MappingKind.UNIT, spelling, unit.text, known)
    return folded_words(spelling), unit.text


def check_same_meaning(spelling: str, before: str, after: str) -> None:
    """Raise ``Conflict`` for another unit of a spelling: numbers that were stored under it would mean something else."""
    if parse_unit(before) != parse_unit(after):
        why = f"{spelling!r} means {before}, and numbers may be stored by it: remove the mapping, then add it for {after}"
        raise Conflict(why, spelling=spelling)


def check_quoted_unit(spelling: str, target: str, scope: str) -> tuple[str, str]:
    """Return ``commodity:area`` and the unit in which a broker, the scope, states its prices. Raises ``InvalidParameters``."""
    venue = venues().get(scope)
    if venue is None:
        raise InvalidParameters(("scope", f"must be a broker: {', '.join(venues())}", scope))
    about = {f"{entry.commodity}:{entry.area}": entry.unit for entry in venue.scheme.entries}
    if spelling not in about:
        near = nearest(spelling, about) or tuple(about)[:5]
        why = f"must be commodity:area of a curve of {scope}, such as {', '.join(near)}"
        raise InvalidParameters(("spelling", why, spelling), nearest=list(near))
    unit, own = _unit(target), parse_unit(about[spelling])
    if not converts(unit, own):
        why = f"must convert to {own} without an exchange rate; {unit} does not"
        raise InvalidParameters(("target", why, target))
    return spelling, unit.text


def check_fuel(spelling: str, target: str, scope: str) -> tuple[str, str]:
    """Return the folded word of an operator and the fuel, with or without a detail. Raises like ``check_label``."""
    words = fuel_table().get(scope)
    if words is None:
        raise InvalidParameters(("scope", f"must be a source with words for fuels: {', '.join(fuel_table())}", scope))
    _among(target, _FUELS, "fuel")

    def known(word: str) -> str | None:
        meaning = words.get(folded_word(word))
        return None if meaning is None else "/".join(filter(None, (meaning.fuel or meaning.kind, meaning.detail)))

    _refuse_known(MappingKind.FUEL, spelling, target, known)
    return folded_word(spelling), target


def check_place(spelling: str, target: str, scope: str) -> tuple[str, str]:
    """Return the id of a location and its name. Raises ``InvalidParameters`` and ``Conflict``."""
    sources = tuple(dict.fromkeys(one.source for one in place_names()))
    if scope not in sources:
        raise InvalidParameters(("scope", f"must be a source whose files print ids of places: {', '.join(sources)}", scope))
    names = {one.location: one.name for one in place_names() if one.source == scope}
    _refuse_known(MappingKind.PLACE, spelling, target, names.get)
    return spelling, target


def _refuse_known(kind: MappingKind, spelling: str, target: str, meaning: Callable[[str], str | None]) -> None:
    """Raise ``Conflict`` for a spelling that the release knows, and for one that looks like a known one of another meaning."""
    if (known := meaning(spelling)) is not None:
        raise Conflict(f"{kind} {spelling!r} is known already: it is {known}", field="spelling", spelling=spelling)
    looks = as_latin(spelling)
    if (known := meaning(looks)) is not None and known != target:
        why = f"{kind} {spelling!r} looks like {looks!r}, which is {known}: map it to {known}"
        raise Conflict(why, field="spelling", spelling=spelling)


def _scheme(scope: str) -> Scheme:
    if scope not in schemes():
        raise InvalidParameters(("scope", f"must be a scheme of labels: {', '.join(schemes())}", scope))
    return schemes()[scope]


def _among(target: str, known: Collection[str], what: str) -> str:
    if target not in known:
        near = nearest(target, known)
        some = near or tuple(sorted(known))[:_SHOWN]
        why = f"must be a known {what}, such as {', '.join(some)}"
        raise InvalidParameters(("target", why, target), nearest=list(near))
    return target


def _folded(spelling: str) -> str:
    text = folded(spelling)
    if not text:
        raise InvalidParameters(("spelling", "must have a letter or a digit", spelling))
    return text


def _unit(target: str) -> Unit:
    try:
        return parse_unit(target)
    except UnknownName as error:
        raise InvalidParameters(("target", error.detail, target), nearest=list(error.nearest)) from error


def _is_readable(word: str) -> bool:
    """Return whether some label with a word names a period, in some family of seasons."""
    for form in _FORMS:
        for family in default_season_families():
            try:
                parse_period(form.format(word), seasons=family, trade_date=_TRADE_DATE)
            except InvalidPeriod:
                continue
            return True
    return False
