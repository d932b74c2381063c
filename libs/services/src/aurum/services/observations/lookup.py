"""Series by the keys that callers write."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.series.model import Series
from aurum.storage.ports.catalog import Catalog


async def series_of(catalog: Catalog, key: str) -> Series:
    """The series of a key. Raises ``UnknownName`` with the nearest keys."""
    found = (await catalog.series_by_key([key])).get(key) if "\0" not in key else None
    if found is None:
        raise UnknownName("series", key, await catalog.nearest_keys(key.replace("\0", "")))
    return found


async def all_series_of(catalog: Catalog, keys: Sequence[str], *, most: int) -> list[Series]:
    """The series of several texts, each once, in their order; a value may hold several keys with commas between.

    Raises ``InvalidParameters``.
    """
    split = {value: [key for key in value.split(",") if key] for value in keys}
    candidates = {key for value, parts in split.items() for key in (value, *parts)}
    if len(candidates) > 2 * most:
        raise InvalidParameters(("series", f"at most {most} series in one request", len(candidates)))
    found = await catalog.series_by_key(sorted(candidates))
    # A location may hold a comma: what is a key as it stands is not a list of keys.
    wanted = dict.fromkeys(key for value, parts in split.items() for key in ((value,) if value in found else parts))
    if not wanted:
        raise InvalidParameters(("series", "names no series", ",".join(keys)))
    if len(wanted) > most:
        raise InvalidParameters(("series", f"at most {most} series in one request", len(wanted)))
    missing = next((key for key in wanted if key not in found), None)
    if missing is not None:
        close = await catalog.nearest_keys(missing)
        hint = f"; nearest: {', '.join(close)}" if close else ""
        raise InvalidParameters(("series", f"unknown series {missing!r}{hint}", missing), nearest=list(close))
    return [found[key] for key in wanted]
