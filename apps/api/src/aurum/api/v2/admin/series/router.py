"""``/v2/admin/series``: removal of series."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request

from aurum.api.contract.params import known_only
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from aurum.services.removal import LONGEST_REASON
from aurum.services.removal import remove_series as remove

router = FeatureRouter(
    reads=Policy(Permission.ADMIN_READ),
    writes=Policy(Permission.ADMIN_WRITE),
    prefix="/v2/admin/series",
    tags=["admin"],
    dependencies=[Depends(known_only)],
)

StoredKey = Annotated[
    str,
    Path(
        description="Key of the series as it is stored, percent-encoded. It may be a text that is not a valid key any more.",
        examples=["nyiso:damlbmp_zone:61761:lmp"],
    ),
]
Reason = Annotated[
    str,
    Query(
        description="Why the series is removed, for the audit log.",
        examples=["loaded from a file of another feed"],
        # Checked by the service, whose messages say what a reason is.
        json_schema_extra={"maxLength": LONGEST_REASON, "pattern": r"^[^\x00]*\S[^\x00]*$"},
    ),
]


@router.delete(
    "/{key:path}",
    operation_id="removeSeries",
    summary="Remove a series",
    responses=problems(Unauthenticated, Forbidden, NotFound, Conflict, Unavailable),
    status_code=204,
)
async def remove_series(request: Request, key: StoredKey, reason: Reason) -> None:
    """Delete a series: its values of all times, its archived months and its entry in the catalog. It cannot be undone.

    The status is 409 while something needs the series, such as conversions that use an exchange rate. Files stay on record:
    a file is loaded again only with force, and then it creates the series anew.
    """
    store = services(request).store
    await remove(store.transactions, store.catalog.reader, key, reason=reason, by=actor_of(request))
