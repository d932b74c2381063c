"""Compatibility of releases with schemas.

Release N runs on the schema of N and on that of N+1: the database is migrated first, then processes are replaced one by one,
and a release can be rolled back. So old code runs on a newer schema, up to the floor: a migration raises the floor when it
removes something, and code older than the floor is refused (see docs/adr/0024).
"""

from __future__ import annotations

from dataclasses import dataclass

from aurum.core.errors import Unavailable
from aurum.storage.ports.probe import MismatchKind, SchemaMismatch


class UnusableSchema(Unavailable):
    """The database answers, but this code does not run on its schema."""


@dataclass(frozen=True, slots=True)
class InstalledSchema:
    """The schema of a database.

    ``revision``: None when it was never migrated. ``floor``: code without this revision is refused; None accepts all code.
    ``floor_release``: the first release that is accepted.
    """

    revision: str | None
    floor: str | None = None
    floor_release: str | None = None


def is_compatible(revision: str | None, floor: str | None, *, needs: str, head: str) -> bool:
    """Return whether code that needs revision ``needs`` and whose newest revision is ``head`` runs on a schema.

    >>> is_compatible("0009", None, needs="0007", head="0008")
    True
    >>> is_compatible("0009", "0009", needs="0007", head="0008")
    False
    """
    return not is_older(revision, needs) and (floor is None or not is_older(head, floor))


def mismatch(schema: InstalledSchema, *, needs: str, head: str) -> SchemaMismatch | None:
    """Return the reason why code does not run on a schema, or None when it does."""
    if is_compatible(schema.revision, schema.floor, needs=needs, head=head):
        return None
    if is_older(schema.revision, needs):
        detail = f"the database is at schema {schema.revision or 'none'}, this release needs {needs}: run `aurum db migrate`"
        return SchemaMismatch(MismatchKind.NOT_MIGRATED, detail)
    release = f"release {schema.floor_release}" if schema.floor_release else f"the release with schema {schema.floor}"
    detail = (
        f"the database is at schema {schema.revision}, which needs a release that knows {schema.floor}, "
        f"this release knows {head}: install {release} or newer"
    )
    return SchemaMismatch(MismatchKind.CODE_TOO_OLD, detail)


def is_older(revision: str | None, other: str) -> bool:
    """Return whether a revision comes before another one. None, for a database that was never migrated, comes before all.

    Raises ``UnusableSchema`` for a revision that is not a number: then another application owns the table.
    """
    return revision is None or _number(revision) < _number(other)


def _number(revision: str) -> int:
    if not revision.isdecimal():
        raise UnusableSchema(
            f"alembic_version holds {revision!r}, but revisions of Aurum are numbers: check AURUM_DATABASE__URL"
        )
    return int(revision)
