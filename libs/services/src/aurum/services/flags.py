"""Feature flags: changed together with the audit record that says so, checked against the flags they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from aurum.common.flags import CircularPrerequisite, Evaluation, FlagDocument, evaluate, readable, refuse_circle
from aurum.core.errors import Conflict, InvalidParameters, UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.access import Actor
from aurum.storage.ports.flags import FlagStore, StoredFlag
from aurum.storage.ports.transaction import Transactions


class OtherVersion(Conflict):
    """The flag has changed since it was read. Facts: ``flag``, ``version``."""


def documents(stored: Sequence[StoredFlag]) -> Mapping[str, FlagDocument]:
    """Return stored flags as documents, without those that this version of the program cannot read."""
    return readable({one.name: one.document for one in stored})


async def read_flag(store: FlagStore, name: str) -> StoredFlag:
    """Read one flag. Raises ``UnknownName`` with the nearest names."""
    flags = {one.name: one for one in await store.flags()}
    if name not in flags:
        raise UnknownName("flag", name, nearest(name, flags))
    return flags[name]


async def put_flag(
    transactions: Transactions,
    name: str,
    document: FlagDocument,
    *,
    version: int | None = None,
    precondition: Callable[[StoredFlag | None], None] | None = None,
    by: Actor,
) -> StoredFlag:
    """Make a flag or change it.

    ``version``: the one that is changed, 0 for a new flag; None: any. ``precondition``: is called with the flag as it stands,
    under the lock, and raises to refuse the change. Raises ``OtherVersion``, ``InvalidParameters`` when the flag would need
    itself or a flag that is missing.
    """
    async with transactions.transaction(by=by) as tx:
        there = await tx.flags.locked()
        current = next((one for one in there if one.name == name), None)
        if precondition is not None:
            precondition(current)
        try:
            refuse_circle(name, {**documents(there), name: document})
        except CircularPrerequisite as error:
            raise InvalidParameters(("prerequisites", str(error), None)) from error
        _refuse_other_version(name, current, version)
        stored = await tx.flags.put(name, document.model_dump(mode="json"), by=by.subject)
        await tx.audit.append("flag.put", name, {"version": stored.version, "document": stored.document})
        return stored


async def switch_flag(transactions: Transactions, name: str, *, enabled: bool, by: Actor) -> StoredFlag:
    """Turn a flag off for everybody, or let its rules hold again. Raises ``UnknownName``."""
    async with transactions.transaction(by=by) as tx:
        there = {one.name: one for one in await tx.flags.locked()}
        if name not in there:
            raise UnknownName("flag", name, nearest(name, there))
        stored = await tx.flags.put(name, {**there[name].document, "enabled": enabled}, by=by.subject)
        await tx.audit.append("flag.put", name, {"version": stored.version, "document": stored.document})
        return stored


async def delete_flag(transactions: Transactions, name: str, *, by: Actor) -> None:
    """Delete a flag: its readers get the default of the code. Raises ``UnknownName``."""
    async with transactions.transaction(by=by) as tx:
        await tx.flags.delete(name)
        await tx.audit.append("flag.delete", name, {})


async def evaluate_flag(
    store: FlagStore, name: str, attributes: Mapping[str, object], *, key: str, now: datetime
) -> Evaluation:
    """Return what a flag evaluates to, and why; nothing is counted. Raises ``UnknownName``, ``Conflict``."""
    stored = await store.flags()
    if name not in (names := [one.name for one in stored]):
        raise UnknownName("flag", name, nearest(name, names))
    flags = documents(stored)
    if name not in flags:
        raise Conflict(f"flag {name!r} was written for another version of this service, which cannot read it", flag=name)
    try:
        return evaluate(name, flags, attributes, key=key, now=now)
    except CircularPrerequisite as error:
        raise Conflict(str(error), flag=name) from error


def _refuse_other_version(name: str, current: StoredFlag | None, version: int | None) -> None:
    there = current.version if current is not None else 0
    if version is not None and version != there:
        raise OtherVersion(f"flag {name!r} is at version {there}, not {version}", flag=name, version=there)
