"""Names of time zones."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from aurum.core.errors import UnknownName
from aurum.core.names import nearest


def parse_zone(name: str) -> str:
    """Return the name, if it is in the IANA time zone database. Raises ``UnknownName`` with the nearest names.

    Both Polars and the standard library must know it: on some machines the latter also accepts names that are not in the
    database (``posixrules``, ``localtime``).
    """
    import polars as pl

    try:
        pl.select(pl.lit(datetime(2000, 1, 1, tzinfo=UTC)).dt.convert_time_zone(name))
        ZoneInfo(name)
    except (pl.exceptions.ComputeError, ZoneInfoNotFoundError, ValueError):  # ValueError: not the form of a name
        raise UnknownName("time zone", name, nearest(name, sorted(available_timezones() - {name}))) from None
    return name
