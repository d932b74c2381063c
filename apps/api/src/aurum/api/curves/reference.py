"""Documents and requests about reference data: delivery calendars, sessions, seasons and shapes."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Members
from aurum.api.curves.access import own_response, reading_of, written
from aurum.api.curves.documents import Owner
from aurum.api.curves.ownership import stored_owner, written_owner
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.services import services
from aurum.services.curves.documents import (
    ReferenceEntry,
    add_reference,
    change_reference,
    reference_entries,
    reference_entry,
    remove_reference,
)
from aurum.storage.ports.curves import ReferenceKind


class ReferenceDocumentAnswer(BaseModel):
    """A reference document."""

    name: str
    owner: Literal["shipped", "shared", "tenant"] = Field(
        description="`shipped`: part of the release. `shared`: an administrator wrote it, for all. `tenant`: your tenant did."
    )
    version: int = Field(description="Rises with each change, from 1; 0 for a shipped document.")
    updated_at: datetime | None = Field(description="Null for a shipped document.")
    document: dict[str, object]

    @classmethod
    def from_entry(cls, entry: ReferenceEntry) -> ReferenceDocumentAnswer:
        """Return the answer about a document."""
        shared = "shared" if entry.version else "shipped"
        return cls.model_validate(
            {
                "name": entry.name,
                "owner": shared if entry.tenant is None else "tenant",
                "version": entry.version,
                "updated_at": entry.updated_at,
                "document": dict(entry.document),
            }
        )


class ReferenceList(BaseModel):
    """Reference documents, ascending by name."""

    data: list[ReferenceDocumentAnswer]


class ReferenceAnswer(BaseModel):
    data: ReferenceDocumentAnswer


class NewReference(BaseModel):
    """A document to add; its name is a member of it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"document": {"name": "desk_power", "title": "Days of the desk", "zone": "Europe/Paris", "blocks": "entsoe"}}
            ]
        },
    )

    document: Members
    owner: Owner = Field(default="tenant", description="`tenant`: yours. `shared`: of all, which needs `admin:write`.")


class ReferenceChanges(BaseModel):
    """New members of a document; those that are left out stay."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"document": {"title": "Days of our desk"}, "version": 1}]}
    )

    document: Members
    version: int | None = Field(
        default=None,
        strict=True,
        ge=0,
        le=2**31 - 1,
        description="Version that you have read: another one is a conflict. Default: the current one.",
    )


async def listed(request: Request, response: Response, kind: ReferenceKind) -> ReferenceList | Response:
    """Return the answer with all documents of a kind that the caller reads with."""
    entries = await reference_entries(reading_of(request), kind)
    if (unchanged := own_response(request, response, [_version(one) for one in entries])) is not None:
        return unchanged
    return ReferenceList(data=[ReferenceDocumentAnswer.from_entry(one) for one in entries])


async def shown(request: Request, response: Response, kind: ReferenceKind, name: str) -> ReferenceAnswer | Response:
    """Return the answer with one document."""
    entry = await reference_entry(reading_of(request), kind, name)
    if (unchanged := own_response(request, response, _version(entry))) is not None:
        return unchanged
    return _answer(entry)


async def added(request: Request, kind: ReferenceKind, body: NewReference) -> ReferenceAnswer:
    """Add a document and return the answer with it."""
    tenant = written_owner(request, body.owner)
    reading, by = reading_of(request), actor_of(request)
    store = services(request).store
    most = store.settings.private.documents
    entry = await add_reference(store.transactions, reading, kind, body.document, tenant=tenant, by=by, most=most)
    await written(request)
    return _answer(entry)


async def changed(request: Request, kind: ReferenceKind, name: str, body: ReferenceChanges) -> ReferenceAnswer:
    """Change a document and return the answer with it."""
    reading, by = reading_of(request), actor_of(request)
    tenant = stored_owner(request, (await reference_entry(reading, kind, name)).tenant)
    transactions = services(request).store.transactions
    entry = await change_reference(transactions, reading, kind, name, body.document, tenant=tenant, version=body.version, by=by)
    await written(request)
    return _answer(entry)


async def removed(request: Request, kind: ReferenceKind, name: str) -> None:
    """Remove a document."""
    reading, by = reading_of(request), actor_of(request)
    tenant = stored_owner(request, (await reference_entry(reading, kind, name)).tenant)
    await remove_reference(services(request).store.transactions, reading, kind, name, tenant=tenant, by=by)
    await written(request)


def _version(entry: ReferenceEntry) -> tuple[object, ...]:
    """Return all that an answer says of a document. Its number repeats after a removal, and every release ships number 0."""
    text = json.dumps(entry.document, sort_keys=True, default=str)
    digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
    return entry.name, entry.tenant, entry.version, entry.updated_at, digest


def _answer(entry: ReferenceEntry) -> ReferenceAnswer:
    return ReferenceAnswer(data=ReferenceDocumentAnswer.from_entry(entry))
