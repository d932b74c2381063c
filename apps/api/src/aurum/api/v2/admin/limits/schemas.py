"""Shapes of the use of rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    pass


class WindowUse(BaseModel):
    """One window of a caller's limits."""

    name: str = Field(examples=["minute"])
    limit: int
    left: int = Field(description="Requests that would be let in now, here and with other processes.")


class CallerUse(BaseModel):
    """One who asks."""

    tenant: str
    subject: str
    plan: str | None
    windows: list[WindowUse]


class LimitsUse(BaseModel):
    """Who asked lately. `shared`: counted together with other processes; else each has a share of the limits."""

    shared: bool
    processes: int
    refused: int = Field(description="Requests this process refused since it began.")
    callers: list[CallerUse]


class LimitsAnswer(BaseModel):
    data: LimitsUse
