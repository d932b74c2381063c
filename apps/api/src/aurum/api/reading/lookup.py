"""Series by the keys a caller gives."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.api.problems import InvalidParameters
from aurum.core.errors import UnknownName
from aurum.core.series.model import Series
from aurum.storage.ports import Catalog


async def series_of(catalog: Catalog, key: str) -> Series:
    """The series of a path. Raises ``UnknownName`` with the nearest keys."""
    found = (await catalog.series_by_key([key])).get(key) if "\0" not in key else None
    if found is None:
        raise UnknownName("series", key, await catalog.nearest_keys(key.replace("\0", "")))
    return found


async def all_series_of(catalog: Catalog, keys: Sequence[str], *, most: int) -> list[Series]:
    """The series of a query, each once, in the order given. Raises ``InvalidParameters``."""
    wanted = list(dict.fromkeys(keys))
    if len(wanted) > most:
        raise InvalidParameters(("series", f"at most {most} series in one request", len(wanted)))
    if any("\0" in key for key in wanted):
        raise InvalidParameters(("series", "holds a NUL character", None))
    found = await catalog.series_by_key(wanted)
    missing = next((key for key in wanted if key not in found), None)
    if missing is not None:
        close = await catalog.nearest_keys(missing)
        hint = f"; nearest: {', '.join(close)}" if close else ""
        raise InvalidParameters(("series", f"unknown series {missing!r}{hint}", missing), nearest=list(close))
    return [found[key] for key in wanted]
