"""Series by the keys that callers pass."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.series.model import Series
from aurum.storage.ports.catalog import Catalog


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
    split = {value: [key for key in value.split(",") if key] for value in keys}
    candidates = {key for value, parts in split.items() for key in (value, *parts)}
    if len(candidates) > 2 * most:
        raise InvalidParameters(("series", f"names more than {most} series, the most in one request", len(candidates)))
    by_key = await catalog.series_by_key(sorted(candidates))
    # A location may contain a comma, so a value that is a key itself is not split.
    requested = dict.fromkeys(key for value, parts in split.items() for key in ((value,) if value in by_key else parts))
    if not requested:
        raise InvalidParameters(("series", "is empty: name at least one series", ",".join(keys)))
    if len(requested) > most:
        raise InvalidParameters(("series", f"names {len(requested)} series; one request may name {most}", len(requested)))
    missing = next((key for key in requested if key not in by_key), None)
    if missing is not None:
        close = await catalog.nearest_keys(missing)
        hint = f"; nearest: {', '.join(close)}" if close else ""
        raise InvalidParameters(("series", f"unknown series {missing!r}{hint}", missing), nearest=list(close))
    return [by_key[key] for key in requested]
