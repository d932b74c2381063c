"""Removal of a series that should not be in the store. Points, catalog entry and audit record go in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from aurum.core.currency import rated_currency
from aurum.core.errors import Conflict, InvalidParameters, UnknownName
from aurum.core.names import nearest
from aurum.core.visible import visible
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.removal import Referrer, RemovedRows
from aurum.storage.ports.transaction import Transaction, Transactions

LONGEST_REASON = 1_000
_NAMES = 5


class SeriesInUse(Conflict):
    """A series that something else needs. Facts: ``key``, ``referrers`` (``kind``, ``count`` and some ``names`` of each)."""

    def __init__(self, key: str, referrers: Sequence[Referrer]) -> None:
        needed = "; ".join(f"{one.kind}: {one.count:,} ({_listed(one)})" for one in referrers)
        super().__init__(
            f"series {key!r} cannot be removed, because it is needed for {needed}: remove those first, or load a correct file "
            "of the series instead, which revises its values",
            key=key,
            referrers=[{"kind": one.kind, "count": one.count, "names": list(one.names)} for one in referrers],
        )


async def remove_series(transactions: Transactions, catalog: Catalog, key: str, *, reason: str, by: Actor) -> RemovedRows:
    """Remove a series, found by the text it is stored under, even if that is not a valid key in this release.

    All of it goes or, after an error or a crash, nothing. Its rows in history are unreachable at once and are erased by a later
    archive run. Raises ``InvalidParameters`` for a blank or long reason, ``UnknownName`` and ``SeriesInUse``.
    """
    _check_reason(reason)
    async with transactions.transaction(by=by, long_running=True) as tx:
        series = await tx.removal.lock(key) if "\0" not in key else None
        if series is not None:
            if referrers := [*await tx.removal.referrers(series), *await _converting(tx, key)]:
                raise SeriesInUse(key, referrers)
            removed = await tx.removal.remove(series)
            detail = {"reason": reason.strip(), "series_id": series.series_id, **asdict(removed)}
            await tx.audit.append("series.remove", key, detail)
            return removed
    raise UnknownName("series", key, await _nearest(catalog, key.replace("\0", "")))


async def _converting(tx: Transaction, key: str) -> Sequence[Referrer]:
    """Return the derived curves that convert with a series of exchange rates; those of tenants are counted, not named."""
    currency = rated_currency(key)
    if currency is None or not (curves := await tx.derived_curves.converting(currency)):
        return ()
    shared = sorted(one.key for one in curves if one.tenant is None)
    return (Referrer(f"derived curves in {currency}", len(curves), tuple(shared[:_NAMES])),)


async def _nearest(catalog: Catalog, key: str) -> tuple[str, ...]:
    """Return the keys that resemble a text, those first that lists leave out: an invisible character cannot be typed."""
    invalid = nearest(key, [one.key for one in await catalog.invalid_series()])
    return tuple(dict.fromkeys((*invalid, *await catalog.nearest_keys(key))))[:5]


def _check_reason(reason: str) -> None:
    if not visible(reason).strip():
        raise InvalidParameters(("reason", "is blank: say why the series is removed, for the audit log", reason))
    if len(reason) > LONGEST_REASON or "\0" in reason:
        why = f"must have at most {LONGEST_REASON:,} characters, none of them NUL"
        raise InvalidParameters(("reason", why, reason[:100]))


def _listed(referrer: Referrer) -> str:
    more = ["..."] if referrer.count > len(referrer.names) else []
    return ", ".join([*referrer.names, *more])
