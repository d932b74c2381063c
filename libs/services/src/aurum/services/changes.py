"""The list of changes: texts of positions, where a client may read on, and which entries a tenant sees."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, timedelta

from aurum.core.clock import Clock
from aurum.core.errors import Gone, InvalidParameters, NotFound
from aurum.storage.ports.recordings import ChangeBounds, ChangeEntry, ChangeLog, ChangePosition

_POSITION = re.compile(r"(0|[1-9][0-9]{0,17})-([0-9a-f]{8})", re.ASCII)


class ChangesExpired(Gone):
    """Changes after a position are served no longer. Facts: ``oldest``, the earliest position to read on from."""


class UnknownPosition(NotFound):
    """No entry of the list of changes has this position. Facts: ``position``."""


def position_text(position: ChangePosition) -> str:
    """Return the text of a position: its number, and eight digits that identify the history of its store.

    The digits are a digest of the instant of the entry. A standby that was promoted, a restored backup and a copy have the
    same entry at the same position if they have all that came before it, and another one or none if they have not. So a
    client reads on after a failover exactly when it misses nothing. An identifier of the server would refuse it each time.
    """
    instant = position.recorded_at.astimezone(UTC).isoformat().encode()
    return f"{position.number}-{hashlib.blake2b(instant, digest_size=4).hexdigest()}"


def is_visible(_entry: ChangeEntry, _tenant: str) -> bool:
    """Return whether a tenant may see an entry. All datasets are shared by all tenants; one that is not is excluded here."""
    return True


@dataclass(frozen=True, slots=True)
class ChangeList:
    """The list of changes as it is served. ``keep_days``: for how long an entry is served."""

    log: ChangeLog
    clock: Clock
    keep_days: float

    async def bounds(self) -> ChangeBounds:
        """Return the extent of the list. Raises ``Unavailable``."""
        return await self.log.bounds(self.clock.now() - timedelta(days=self.keep_days))

    async def resumed(self, text: str, *, parameter: str) -> ChangePosition:
        """Return the position of a text, if every entry after it is still served. ``parameter``: named in errors.

        Raises ``InvalidParameters`` for a text that is not a position, for one from the future and for one of another store,
        ``ChangesExpired``, ``Unavailable``.
        """
        number = _number(text, parameter)
        bounds = await self.bounds()
        facts = {"oldest": position_text(bounds.oldest), "last": position_text(bounds.last)}
        if number > bounds.last.number:
            raise InvalidParameters(
                (parameter, f"is after the last position that was given out, {facts['last']}", text), **facts
            )
        position = await self.log.position(number)
        if position is None or position_text(position) != text:
            raise InvalidParameters(
                (
                    parameter,
                    "belongs to another store, or to changes that were lost when this one was restored: read again what you "
                    f"need, then read on from {facts['last']}",
                    text,
                ),
                **facts,
            )
        if number < bounds.oldest.number:
            raise ChangesExpired(
                f"{parameter}: changes after {text} are served for {self.keep_days:g} days only: read again what you need, "
                f"then read on from {facts['oldest']} or later",
                **facts,
            )
        return position

    async def entry(self, text: str, tenant: str) -> ChangeEntry:
        """Return the entry at a position. Raises what ``resumed`` raises, and ``UnknownPosition``."""
        position = await self.resumed(text, parameter="position")
        entry = await self.log.entry(position.number)
        if entry is None or not is_visible(entry, tenant):
            raise UnknownPosition(f"no entry has the position {text}", position=text)
        return entry


def _number(text: str, parameter: str) -> int:
    match = _POSITION.fullmatch(text)
    if match is None:
        raise InvalidParameters(
            (parameter, "is not a position: send the position of an entry, or meta.next of a page of /v2/changes", text)
        )
    return int(match[1])
