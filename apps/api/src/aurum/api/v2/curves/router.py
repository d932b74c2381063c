"""``/v2/curves``: products that are quoted forward, their quotes, history and strips, and how they moved."""

from __future__ import annotations

from fastapi import Depends

from aurum.api.contract.params import known_only
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.core.access import Permission

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    # Queries in a body read as well.
    writes=Policy(Permission.CURVES_READ),
    prefix="/v2/curves",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)
