"""Usage of the service by caller and UTC day: requests, observations and bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DayUsage:
    """The usage of one caller on one day (UTC).

    ``subject``: as in ``Caller``. ``points``: observations in the answers. ``bytes``: of the bodies of the answers, as sent.
    """

    tenant: str
    subject: str
    day: date
    requests: int
    points: int
    bytes: int


@dataclass(frozen=True, slots=True)
class UsageBatch:
    """The counts of one process since its last batch, at most one item for each caller and day.

    ``writer``: a random name of the process. ``number``: rises with each batch of the process, from 1.
    """

    writer: str
    number: int
    days: Sequence[DayUsage]


class UsageStore(Protocol):
    """Usage, added up over processes. All methods raise ``Unavailable`` when the store does not answer."""

    async def add(self, batch: UsageBatch) -> None:
        """Add the items of a batch to what is stored, all or none.

        A batch that was added before adds nothing: a writer that does not know whether it was added sends it again,
        before any later one.
        """
        ...

    async def of_caller(self, tenant: str, subject: str, *, since: date) -> Sequence[DayUsage]:
        """Return the usage of a caller from a day on, ascending by day; days without usage are missing."""
        ...

    async def page(
        self, *, tenant: str | None, since: date, after: tuple[date, str, str] | None, limit: int
    ) -> Sequence[DayUsage]:
        """Return usage from a day on, ascending by (day, tenant, subject).

        ``tenant`` None: of all tenants. ``after``: the last sort key already seen.
        """
        ...
