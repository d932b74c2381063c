"""Feature flags. A change and its audit record commit in one transaction, and prerequisites are checked first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from aurum.common.flags import (
    Evaluation,
    FlagDocument,
    InvalidPrerequisite,
    check_prerequisites,
    evaluate,
    parse_documents,
    reaches_others,
)
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, InvalidParameters, UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.access import Actor
from aurum.storage.ports.flags import FlagStore, StoredFlag
from aurum.storage.ports.transaction import Transactions


class OtherVersion(Conflict):
    """The flag has changed since the caller read it. Facts: ``flag``, ``version``, the stored one."""


class ReachesOtherTenants(Forbidden):
    """A change of a flag that callers of other tenants would notice. Facts: ``flag``, ``tenant``, ``scope``."""

    def __init__(self, flag: str, tenant: str) -> None:
        super().__init__(
            f"this change of flag {flag!r} reaches other tenants, which needs the scope {Permission.TENANT_MANAGE}; without it "
            f"only rules with a condition that tenant is {tenant!r} can be added, changed and removed",
            flag=flag,
            tenant=tenant,
            scope=str(Permission.TENANT_MANAGE),
        )


def documents(stored: Sequence[StoredFlag]) -> Mapping[str, FlagDocument]:
    """Return stored flags as documents by name, without those that this release cannot read."""
    return parse_documents({one.name: one.document for one in stored})


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
    tenant: str | None = None,
    by: Actor,
) -> StoredFlag:
    """Create or change a flag.

    ``tenant``: the only one whose callers the change may reach, otherwise ``ReachesOtherTenants`` is raised; None: any.
    ``version``: the version to replace, 0 for a new flag, None for any. ``precondition``: called with the stored flag,
    which cannot change meanwhile; it raises to refuse the change. Raises ``OtherVersion``, and ``InvalidParameters`` when the
    flag would require itself or a missing flag.
    """
    async with transactions.transaction(by=by) as tx:
        flags = await tx.flags.locked()
        current = next((one for one in flags if one.name == name), None)
        if precondition is not None:
            precondition(current)
        if tenant is not None and reaches_others(documents(flags).get(name), document, tenant):
            raise ReachesOtherTenants(name, tenant)
        try:
            check_prerequisites(name, {**documents(flags), name: document})
        except InvalidPrerequisite as error:
            raise InvalidParameters(("prerequisites", str(error), None)) from error
        _refuse_other_version(name, current, version)
        stored = await tx.flags.put(name, document.model_dump(mode="json"), by=by.subject)
        await tx.audit.append("flag.put", name, {"version": stored.version, "document": stored.document})
        return stored


async def switch_flag(transactions: Transactions, name: str, *, enabled: bool, by: Actor) -> StoredFlag:
    """Turn a flag off for all callers, or apply its rules again. Raises ``UnknownName``."""
    async with transactions.transaction(by=by) as tx:
        flags = {one.name: one for one in await tx.flags.locked()}
        if name not in flags:
            raise UnknownName("flag", name, nearest(name, flags))
        stored = await tx.flags.put(name, {**flags[name].document, "enabled": enabled}, by=by.subject)
        await tx.audit.append("flag.put", name, {"version": stored.version, "document": stored.document})
        return stored


async def delete_flag(transactions: Transactions, name: str, *, by: Actor) -> None:
    """Delete a flag: code that reads it uses its default then. Raises ``UnknownName``."""
    async with transactions.transaction(by=by) as tx:
        await tx.flags.delete(name)
        await tx.audit.append("flag.delete", name, {})


async def evaluate_flag(
    store: FlagStore, name: str, attributes: Mapping[str, object], *, key: str, now: datetime
) -> Evaluation:
    """Return the variant of a flag for a caller, and the reason. Use is not counted. Raises ``UnknownName``, ``Conflict``."""
    stored = await store.flags()
    if name not in (names := [one.name for one in stored]):
        raise UnknownName("flag", name, nearest(name, names))
    flags = documents(stored)
    if name not in flags:
        raise Conflict(f"flag {name!r} was written by another release and cannot be read by this one: put it again", flag=name)
    try:
        return evaluate(name, flags, attributes, key=key, now=now)
    except InvalidPrerequisite as error:
        raise Conflict(str(error), flag=name) from error


def _refuse_other_version(name: str, current: StoredFlag | None, version: int | None) -> None:
    stored_version = current.version if current is not None else 0
    if version is not None and version != stored_version:
        raise OtherVersion(
            f"flag {name!r} is at version {stored_version}, not {version}: read it again", flag=name, version=stored_version
        )
