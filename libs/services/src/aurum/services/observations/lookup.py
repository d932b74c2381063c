"""Series by the keys, the patterns of keys and the filters that callers pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from aurum.core.catalog.dimensions import location_type_as_compared
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.names import nearest
from aurum.core.series.model import Series
from aurum.storage.ports.catalog import Catalog, SeriesFilter
from aurum.storage.series_fields import has_fields
from aurum.storage.series_patterns import ANY, is_pattern

_PAGE = 1_000
NO_FILTER = SeriesFilter()


async def series_of(catalog: Catalog, key: str) -> Series:
    """Return the series of a key. Raises ``UnknownName`` with the nearest keys."""
    series = (await catalog.series_by_key([key])).get(key) if "\0" not in key else None
    if series is None:
        raise UnknownName("series", key, await catalog.nearest_keys(key.replace("\0", "")))
    return series


async def all_series_of(catalog: Catalog, keys: Sequence[str], *, most: int) -> list[Series]:
    """Return the series of several keys in order, without repeats. A value may hold several keys, separated by commas.

    Raises ``InvalidParameters`` for an unknown key, for none, or for more than ``most``.
    """
    return await selected_series(catalog, keys, most=most)


async def selected_series(
    catalog: Catalog, keys: Sequence[str], criteria: SeriesFilter = NO_FILTER, *, most: int
) -> list[Series]:
    """Return the series of keys and patterns that match all criteria, in the order of the values, without repeats.

    A value may hold several keys or patterns, separated by commas; in a pattern ``*`` stands for any text. The series of a
    pattern ascend by key. Without keys: all series that match the criteria, ascending by key. Raises ``InvalidParameters`` for
    an unknown key, a pattern or criteria that match nothing, for no key and no criterion, and for more than ``most`` series.
    """
    chosen = {one.name: getattr(criteria, one.name) for one in fields(criteria) if getattr(criteria, one.name) is not None}
    if not keys and not chosen:
        raise InvalidParameters(
            ("series", "is missing: name series, or choose them with filters such as source and measure", None)
        )
    if not keys:
        matching = await _matching(catalog, criteria, most, next(iter(chosen)))
        if not matching:
            await _refuse_unknown(catalog, chosen)
            raise InvalidParameters(
                *((name, f"no series has all of these: {_worded(chosen)}", str(chosen[name])) for name in chosen)
            )
        return matching
    exact = await _exact_series(catalog, keys, most=most)
    selected: dict[str, Series] = {}
    for text, series in exact.items():
        if series is None:
            members = await _matching(catalog, replace(criteria, pattern=text), most, "series")
            if not members:
                close = await catalog.nearest_keys(text.replace(ANY, ""))
                raise InvalidParameters(("series", _nothing(text, chosen, close), text), nearest=list(close))
            selected |= {str(one.key): one for one in members}
        else:
            selected[text] = series
    selected = {key: series for key, series in selected.items() if has_fields(series, criteria)}
    if not selected:
        raise InvalidParameters(("series", f"none of these series has {_worded(chosen)}", ",".join(keys)[:200]))
    if len(selected) > most:
        raise _too_many("series", most, len(selected))
    return list(selected.values())


async def _exact_series(catalog: Catalog, keys: Sequence[str], *, most: int) -> Mapping[str, Series | None]:
    """Return the keys and patterns of several values in order, each key with its series, each pattern with None."""
    split = {value: [key for key in value.split(",") if key] for value in keys}
    candidates = {key for value, parts in split.items() for key in (value, *parts)}
    if len(candidates) > 2 * most:
        raise _too_many("series", most, len(candidates))
    by_key = await catalog.series_by_key(sorted(candidates))
    # A location may contain a comma, so a value that is a key itself is not split.
    requested = dict.fromkeys(key for value, parts in split.items() for key in ((value,) if value in by_key else parts))
    if not requested:
        raise InvalidParameters(("series", "is empty: name at least one series", ",".join(keys)))
    if len(requested) > most:
        raise _too_many("series", most, len(requested))
    missing = next((key for key in requested if key not in by_key and not is_pattern(key)), None)
    if missing is not None:
        close = await catalog.nearest_keys(missing)
        hint = f"; nearest: {', '.join(close)}" if close else ""
        raise InvalidParameters(("series", f"unknown series {missing!r}{hint}", missing), nearest=list(close))
    return {key: by_key.get(key) for key in requested}


async def _refuse_unknown(catalog: Catalog, chosen: Mapping[str, object]) -> None:
    """Raise ``InvalidParameters`` with the nearest values for criteria whose value no series has."""
    counts = await catalog.dimensions()
    for name in ("source", "dataset", "market", "measure", "location_type"):
        value = str(chosen.get(name, ""))
        known = list(counts.get(name, {}))
        if name == "location_type":
            value, known = location_type_as_compared(value), [location_type_as_compared(each) for each in known]
        if value and value not in known:
            close = nearest(value, known)
            hint = f"nearest: {', '.join(close)}" if close else "/v2/catalog/dimensions lists the values"
            raise InvalidParameters((name, f"no series has {name} {value!r}; {hint}", chosen[name]), nearest=list(close))


async def _matching(catalog: Catalog, criteria: SeriesFilter, most: int, parameter: str) -> list[Series]:
    """Return all series that match, ascending by key. Raises ``InvalidParameters`` about a parameter for more than ``most``."""
    matching: list[Series] = []
    after: str | None = None
    while True:
        page = await catalog.series_page(criteria, after=after, limit=_PAGE)
        matching += page
        if len(matching) > most:
            raise _too_many(parameter, most, None)
        if len(page) < _PAGE:
            return matching
        after = str(page[-1].key)


def _too_many(parameter: str, most: int, count: int | None) -> InvalidParameters:
    how_many = f"names {count:,} series" if count is not None else f"matches more than {most:,} series"
    return InvalidParameters(
        (parameter, f"{how_many}; one request may have {most:,}: narrow it, or send several requests", count)
    )


def _nothing(pattern: str, chosen: Mapping[str, object], close: Sequence[str]) -> str:
    also = f" and has {_worded(chosen)}" if chosen else ""
    hint = f"; nearest: {', '.join(close)}" if close else ""
    return f"no series matches {pattern!r}{also}{hint}"


def _worded(chosen: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in chosen.items())
