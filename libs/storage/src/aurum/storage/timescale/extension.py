"""The TimescaleDB extension of a server: its version, its licence and the features which that licence permits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import asyncpg

from aurum.core.errors import Forbidden, Unavailable
from aurum.storage.postgres.connection.pool import Connection

OLDEST = (2, 23)
"""The first version for PostgreSQL 18, and the oldest whose logs of stale sums ``aggregates`` is known to read correctly."""

_AVAILABLE = "SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'"
_INSTALLED = """
SELECT extversion, coalesce(current_setting('timescaledb.license', true), '') AS licence
FROM pg_extension WHERE extname = 'timescaledb'
"""

# Checked first: creating the extension on a server that did not load it at its start ends the connection.
_LOADED = "SELECT current_setting('timescaledb.disable_load', true) IS NOT NULL"


class Licence(StrEnum):
    """The licence under which the server runs the extension (``timescaledb.license``)."""

    APACHE = "apache"
    """Apache 2: free for every use."""
    TIMESCALE = "timescale"
    """The community licence: free for every use except offering the database itself as a service."""


class Feature(StrEnum):
    """A feature of the extension that Aurum uses."""

    HYPERTABLES = "hypertables"
    """Tables in chunks of time."""
    COLUMNSTORE = "compression"
    """Old chunks in columns, compressed."""
    AGGREGATES = "continuous aggregates"
    """Stored hourly sums."""
    POLICIES = "policies"
    """Jobs of the server that compress, refresh and delete."""


PERMITTED: Mapping[Licence, frozenset[Feature]] = MappingProxyType(
    {Licence.APACHE: frozenset({Feature.HYPERTABLES}), Licence.TIMESCALE: frozenset(Feature)}
)


class TimescaleMissing(Unavailable):
    """The database has no usable TimescaleDB. The text says what is missing; nothing was changed."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why}; the store keeps working on plain PostgreSQL (the README says how to get TimescaleDB)", retry_after=60.0
        )


class NotPermitted(Forbidden):
    """The licence of the server does not permit a feature. Facts: ``feature``, ``licence``."""

    def __init__(self, feature: Feature, licence: Licence) -> None:
        super().__init__(
            f"TimescaleDB runs under the licence {str(licence)!r}, which does not permit {feature}: "
            "set timescaledb.license = 'timescale' in postgresql.conf and restart the server",
            feature=str(feature),
            licence=str(licence),
        )


@dataclass(frozen=True, slots=True)
class Extension:
    """The extension of a database. ``version``: as in ``2.29.2``."""

    version: str
    licence: Licence

    @property
    def permitted(self) -> frozenset[Feature]:
        return PERMITTED[self.licence]

    def __str__(self) -> str:
        missing = ", ".join(sorted(frozenset(Feature) - self.permitted))
        without = f", which does not permit {missing}" if missing else ""
        return f"TimescaleDB {self.version}, licence {self.licence}{without}"

    def require(self, feature: Feature) -> None:
        """Raise ``NotPermitted`` unless the licence permits a feature."""
        if feature not in self.permitted:
            raise NotPermitted(feature, self.licence)


def is_supported(version: str) -> bool:
    """Return whether a version is ``OLDEST`` or newer.

    >>> is_supported("2.29.2"), is_supported("2.9.0"), is_supported("2.30.0-dev")
    (True, False, True)
    """
    major, minor = (int(part) for part in version.split(".")[:2])
    return (major, minor) >= OLDEST


async def usable_extension(connection: Connection) -> Extension | None:
    """Return the extension of this database; None if it was never created or is too old."""
    row = await connection.fetchrow(_INSTALLED)
    if row is None or not is_supported(row["extversion"]):
        return None
    # A session loads the extension with its first use. Before, the setting shows its later value, or nothing for the default.
    return Extension(row["extversion"], Licence(row["licence"] or Licence.TIMESCALE))


async def required_extension(connection: Connection) -> Extension:
    """Return the extension of this database. Raises ``TimescaleMissing``, whose text says what to do."""
    extension = await usable_extension(connection)
    if extension is not None:
        return extension
    installed = await connection.fetchrow(_INSTALLED)
    if installed is not None:
        raise TimescaleMissing(_too_old(installed["extversion"]))
    if await connection.fetchval(_AVAILABLE) is None:
        raise TimescaleMissing("the server has no extension timescaledb")
    raise TimescaleMissing("the extension timescaledb of the server is not created in this database: run `aurum db optimize`")


async def create_extension(connection: Connection) -> bool:
    """Create the extension unless the database has it, and return whether it was created.

    Raises ``TimescaleMissing`` where the server has no usable extension.
    """
    if await connection.fetchrow(_INSTALLED) is not None:
        await required_extension(connection)
        return False
    version = await connection.fetchval(_AVAILABLE)
    if version is None:
        await required_extension(connection)
    elif not is_supported(version):
        raise TimescaleMissing(_too_old(version))
    if not await connection.fetchval(_LOADED):
        raise TimescaleMissing(
            "the server has timescaledb but does not load it: add it to shared_preload_libraries and restart the server"
        )
    try:
        await connection.execute("CREATE EXTENSION timescaledb")
    except asyncpg.InsufficientPrivilegeError as error:
        raise TimescaleMissing(
            "this user is not permitted to create the extension timescaledb: have an administrator create it"
        ) from error
    return True


def _too_old(version: str) -> str:
    return f"TimescaleDB {version} is older than {'.'.join(map(str, OLDEST))}, the oldest that Aurum uses"
