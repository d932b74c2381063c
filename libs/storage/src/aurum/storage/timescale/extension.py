"""What a server has of TimescaleDB: which version, under which licence, and what that licence permits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import asyncpg

from aurum.core.errors import Forbidden, Unavailable
from aurum.storage.postgres.connection.pool import Connection

OLDEST = (2, 23)
"""The first version for PostgreSQL 18, and the oldest whose logs of what is stale are known to be those that are read."""

_AVAILABLE = "SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'"
_INSTALLED = """
SELECT extversion, coalesce(current_setting('timescaledb.license', true), '') AS licence
FROM pg_extension WHERE extname = 'timescaledb'
"""

# Creating it in a server that did not load it at start ends the connection, so this is asked first.
_LOADED = "SELECT current_setting('timescaledb.disable_load', true) IS NOT NULL"


class Licence(StrEnum):
    """How the server runs the extension (``timescaledb.license``)."""

    APACHE = "apache"
    """Apache 2: free for every use."""
    TIMESCALE = "timescale"
    """The community licence: free but for offering the database itself as a service."""


class Feature(StrEnum):
    """What Aurum uses of the extension."""

    HYPERTABLES = "hypertables"
    """Tables in chunks of time."""
    COLUMNSTORE = "compression"
    """Old chunks in columns, compressed."""
    AGGREGATES = "continuous aggregates"
    """Sums by the hour, kept."""
    POLICIES = "policies"
    """Jobs of the server that compress, refresh and drop."""


PERMITTED: Mapping[Licence, frozenset[Feature]] = MappingProxyType(
    {Licence.APACHE: frozenset({Feature.HYPERTABLES}), Licence.TIMESCALE: frozenset(Feature)}
)


class TimescaleMissing(Unavailable):
    """The database has no TimescaleDB that can be used. The text says what is missing; nothing was changed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; plain PostgreSQL goes on as it is (the README says how to get TimescaleDB)", retry_after=60.0)


class NotPermitted(Forbidden):
    """The licence of the server does not permit it. Facts: ``feature``, ``licence``."""

    def __init__(self, feature: Feature, licence: Licence) -> None:
        super().__init__(
            f"TimescaleDB runs under the licence {licence!r}, which has no {feature}: "
            "set timescaledb.license = 'timescale' in postgresql.conf and restart the server",
            feature=str(feature),
            licence=str(licence),
        )


@dataclass(frozen=True, slots=True)
class Extension:
    """The extension as a database has it. ``version``: as it calls itself, ``2.29.2``."""

    version: str
    licence: Licence

    @property
    def permitted(self) -> frozenset[Feature]:
        return PERMITTED[self.licence]

    def __str__(self) -> str:
        missing = ", ".join(sorted(frozenset(Feature) - self.permitted))
        without = f", which has no {missing}" if missing else ""
        return f"TimescaleDB {self.version}, licence {self.licence}{without}"

    def require(self, feature: Feature) -> None:
        """Raises ``NotPermitted``."""
        if feature not in self.permitted:
            raise NotPermitted(feature, self.licence)


def is_supported(version: str) -> bool:
    """Whether a version is ``OLDEST`` or newer.

    >>> is_supported("2.29.2"), is_supported("2.9.0"), is_supported("2.30.0-dev")
    (True, False, True)
    """
    major, minor = (int(part) for part in version.split(".")[:2])
    return (major, minor) >= OLDEST


async def found(connection: Connection) -> Extension | None:
    """The extension of this database; None where it was never created, or is too old."""
    row = await connection.fetchrow(_INSTALLED)
    if row is None or not is_supported(row["extversion"]):
        return None
    # Loaded with the first use in a session; before, the setting shows what it will be, or nothing, which is the default.
    return Extension(row["extversion"], Licence(row["licence"] or Licence.TIMESCALE))


async def required(connection: Connection) -> Extension:
    """The extension of this database. Raises ``TimescaleMissing`` that says what to do."""
    extension = await found(connection)
    if extension is not None:
        return extension
    installed = await connection.fetchrow(_INSTALLED)
    if installed is not None:
        raise TimescaleMissing(_too_old(installed["extversion"]))
    if await connection.fetchval(_AVAILABLE) is None:
        raise TimescaleMissing("the server has no extension timescaledb")
    raise TimescaleMissing("the database does not use the server's extension timescaledb yet: run `aurum db optimize`")


async def created(connection: Connection) -> bool:
    """Create the extension where the server has it and the database does not; whether it was created.

    Raises ``TimescaleMissing``.
    """
    if await connection.fetchrow(_INSTALLED) is not None:
        await required(connection)
        return False
    version = await connection.fetchval(_AVAILABLE)
    if version is None:
        await required(connection)
    elif not is_supported(version):
        raise TimescaleMissing(_too_old(version))
    if not await connection.fetchval(_LOADED):
        raise TimescaleMissing(
            "the server has timescaledb, but does not load it: add it to shared_preload_libraries and restart the server"
        )
    try:
        await connection.execute("CREATE EXTENSION timescaledb")
    except asyncpg.InsufficientPrivilegeError as error:
        raise TimescaleMissing("this user may not create the extension timescaledb: have an administrator do it") from error
    return True


def _too_old(version: str) -> str:
    return f"TimescaleDB {version} is older than {'.'.join(map(str, OLDEST))}"
