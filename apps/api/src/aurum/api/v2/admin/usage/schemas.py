"""Documents of the usage of the service."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta


class CallerDay(BaseModel):
    """The usage of one caller on one UTC day."""

    day: date
    tenant: str
    subject: str = Field(
        description="`key:<id>` of an API key, `user:<name>` of a token, or `local`; `*`: further callers of the tenant, "
        "when a process had too many to count each.",
        examples=["key:3f2c9a606a4b4f0e"],
    )
    requests: int = Field(description="Requests that no limit has refused, whatever their answer.")
    points: int = Field(description="Observations in the answers, cached answers included.")
    bytes: int = Field(description="Bytes of the bodies of the answers as they were sent.")


class UsagePage(BaseModel):
    data: list[CallerDay]
    meta: PageMeta
