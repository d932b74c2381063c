"""Steps of curve sets: submit, approve, reject, close, reopen. Each locks the set, so that of two at once one is refused."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import polars as pl

from aurum.core.curves.marks import SetState, SetStep, state_after
from aurum.core.errors import Conflict
from aurum.services.curves.marks.persons import check_two_persons
from aurum.services.curves.marks.reading import draft_marks, plan_set
from aurum.services.curves.marks.sets import CREATE, check_version, checked_text, locked_set, tenant_of
from aurum.services.curves.reading import CurveReading
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curve_sets import CurveSet, CurveSetStore, TakenStep
from aurum.storage.ports.transaction import TenantTransaction, Transactions

_ATTEMPTS = 5
"""Times that a submit reads anew because an override came while it read."""


class MissingQuotes(Conflict):
    """A set cannot be submitted because curves have no quotes on its trade date. Facts: ``missing``."""

    def __init__(self, curve_set: CurveSet, missing: list[str]) -> None:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        super().__init__(
            f"{', '.join(missing[:5])}{more} without quotes on {curve_set.trade_date}: load them, or submit with "
            "allow_missing: only overrides mark them then",
            missing=missing,
        )


class NoPrices(Conflict):
    """A set without a single price cannot be submitted."""


async def submit_set(
    transactions: Transactions,
    sets: CurveSetStore,
    reading: CurveReading,
    set_id: str,
    *,
    version: int | None = None,
    allow_missing: bool = False,
    by: Actor,
    now: datetime,
) -> CurveSet:
    """Submit a draft: pin its marks as they are known at ``now``, the instant that is recorded, and as its overrides hold then.

    An override that comes meanwhile is part of the pinned marks, or refused: without ``version`` the set is read again, with it
    the submit is refused. Raises ``UnknownCurveSet``, ``WrongState``, ``Conflict``, ``MissingQuotes``, ``NoPrices``.
    """
    tenant = tenant_of(reading)
    for _ in range(_ATTEMPTS):
        plan = await plan_set(reading, sets, set_id, now=now)
        read = plan.curve_set
        check_version(read, version)
        state_after(SetStep.SUBMIT, read.state)  # refused before the quotes are read
        made = await draft_marks(reading, plan, as_of=now)
        if made.missing and not allow_missing:
            raise MissingQuotes(read, list(made.missing))
        if made.frame.filter(pl.col("value").is_not_null()).is_empty():
            raise NoPrices(f"set {set_id} has no price on {read.trade_date}: load quotes, or add overrides")
        async with transactions.transaction(by=by, tenant=tenant) as tx:
            locked = await tx.curve_sets.locked(set_id)
            # The overrides may have been read after the set; only those of its version are pinned.
            if locked.version == read.version and list(await tx.curve_sets.overrides(set_id)) == list(plan.overrides):
                pinned = replace(_stepped(locked, SetStep.SUBMIT, by, now), pin=locked.version + 1, pinned_at=now)
                await tx.curve_sets.pin(set_id, locked.version + 1, made.frame)
                detail = {"marks": made.frame.height, "missing": list(made.missing), "pin": pinned.pin}
                await _change(tx, pinned, SetStep.SUBMIT, detail, by)
                return pinned
    raise Conflict(f"set {set_id} was changed again and again while it was submitted: try again")


async def approve_set(
    transactions: Transactions, reading: CurveReading, set_id: str, *, version: int | None = None, by: Actor, now: datetime
) -> CurveSet:
    """Approve a submitted set as another person than who submitted it.

    Raises ``UnknownCurveSet``, ``WrongState``, ``Conflict``, ``PersonUnknown``, ``SubmitterUnknown``, ``SamePerson``.
    """
    async with transactions.transaction(by=by, tenant=tenant_of(reading)) as tx:
        locked = await locked_set(tx, set_id, version)
        approved = _stepped(locked, SetStep.APPROVE, by, now)
        submitted = locked.last(SetStep.SUBMIT)
        assert submitted is not None
        check_two_persons(submitted, by)
        await _change(tx, approved, SetStep.APPROVE, {"pin": locked.pin, "submitted_by": submitted.person}, by)
    return approved


async def reject_set(
    transactions: Transactions,
    reading: CurveReading,
    set_id: str,
    reason: str,
    *,
    version: int | None = None,
    by: Actor,
    now: datetime,
) -> CurveSet:
    """Make a submitted set a draft again, instead of approving it. It needs no second person: nothing is confirmed by it.

    Raises ``UnknownCurveSet``, ``WrongState``, ``Conflict``, and ``InvalidParameters`` about ``reason``.
    """
    why = checked_text("reason", reason)
    async with transactions.transaction(by=by, tenant=tenant_of(reading)) as tx:
        locked = await locked_set(tx, set_id, version)
        return await _to_draft(tx, locked, SetStep.REJECT, why, by, now)


async def close_set(
    transactions: Transactions, reading: CurveReading, set_id: str, *, version: int | None = None, by: Actor, now: datetime
) -> CurveSet:
    """Make an approved set official, in the place of the official set that it was reopened from, if any.

    Raises ``UnknownCurveSet``, ``WrongState``, and ``Conflict`` where another set has taken that place.
    """
    async with transactions.transaction(by=by, tenant=tenant_of(reading)) as tx:
        locked = await locked_set(tx, set_id, version)
        official = _stepped(locked, SetStep.CLOSE, by, now)
        if locked.supersedes is not None:
            earlier = await tx.curve_sets.locked(locked.supersedes)
            if earlier.superseded_by is not None:
                raise _superseded(earlier)
            await tx.curve_sets.change(replace(earlier, superseded_by=set_id, version=earlier.version + 1))
        await _change(tx, official, SetStep.CLOSE, {"pin": locked.pin, "supersedes": locked.supersedes}, by)
    return official


async def reopen_set(
    transactions: Transactions,
    reading: CurveReading,
    set_id: str,
    reason: str,
    *,
    version: int | None = None,
    by: Actor,
    now: datetime,
) -> CurveSet:
    """Make a submitted or approved set a draft again, or return a new draft in the place of an official set, which stays.

    Raises ``UnknownCurveSet``, ``WrongState``, ``InvalidParameters`` about ``reason``, and ``Conflict`` for an official set
    that another one has superseded.
    """
    why = checked_text("reason", reason)
    async with transactions.transaction(by=by, tenant=tenant_of(reading)) as tx:
        locked = await locked_set(tx, set_id, version)
        if locked.state is SetState.OFFICIAL:
            return await _new_draft(tx, locked, why, by, now)
        return await _to_draft(tx, locked, SetStep.REOPEN, why, by, now)


async def _to_draft(tx: TenantTransaction, locked: CurveSet, step: SetStep, reason: str, by: Actor, now: datetime) -> CurveSet:
    draft = replace(_stepped(locked, step, by, now, reason), pin=None, pinned_at=None)
    await _change(tx, draft, step, {"reason": reason, "from": str(locked.state), "pin": locked.pin}, by)
    return draft


async def _new_draft(tx: TenantTransaction, official: CurveSet, reason: str, by: Actor, now: datetime) -> CurveSet:
    if official.superseded_by is not None:
        raise _superseded(official)
    draft = replace(
        official,
        set_id=secrets.token_hex(16),
        state=SetState.DRAFT,
        version=1,
        created_at=now,
        steps=(TakenStep(CREATE, now, by.subject, by.person, reason),),
        pin=None,
        pinned_at=None,
        supersedes=official.set_id,
        superseded_by=None,
    )
    await tx.curve_sets.insert(draft, await tx.curve_sets.overrides(official.set_id))
    detail = {"reason": reason, "from": str(official.state), "draft": draft.set_id, "person": by.person}
    await tx.audit.append("curve_set.reopen", official.set_id, detail)
    return draft


def _superseded(official: CurveSet) -> Conflict:
    by = official.superseded_by
    return Conflict(f"official set {official.set_id} was superseded by {by}: reopen that one", superseded_by=by)


def _stepped(locked: CurveSet, step: SetStep, by: Actor, now: datetime, reason: str = "") -> CurveSet:
    """Return a set after a step. Raises ``WrongState``."""
    state, last = state_after(step, locked.state), TakenStep(str(step), now, by.subject, by.person, reason)
    return replace(locked, state=state, version=locked.version + 1, steps=(*locked.steps, last))


async def _change(tx: TenantTransaction, changed: CurveSet, step: SetStep, detail: Mapping[str, object], by: Actor) -> None:
    await tx.curve_sets.change(changed)
    await tx.audit.append(f"curve_set.{step}", changed.set_id, {**detail, "version": changed.version, "person": by.person})
