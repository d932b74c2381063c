"""Documents of the use of rate limits."""

from __future__ import annotations

from pydantic import BaseModel, Field


class WindowUse(BaseModel):
    """One window of a caller's rate limits."""

    name: str = Field(examples=["minute"])
    limit: int = Field(description="Requests allowed in the window.")
    left: int = Field(description="Requests that would be accepted now, by all processes together.")


class CallerUse(BaseModel):
    """A caller and its windows."""

    tenant: str
    subject: str = Field(description="`key:<id>` of an API key, or `user:<name>` of a token.")
    plan: str | None
    windows: list[WindowUse]


class LimitsUse(BaseModel):
    """The recent callers of this process."""

    shared: bool = Field(description="True: processes count requests together; false: each has a share of the limits.")
    processes: int = Field(description="Number of processes that share the limits.")
    refused: int = Field(description="Requests that this process has refused since its start.")
    callers: list[CallerUse]


class LimitsAnswer(BaseModel):
    data: LimitsUse
