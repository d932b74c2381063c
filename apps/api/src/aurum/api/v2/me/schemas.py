"""Documents about the caller."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class MyPlan(BaseModel):
    """The rate plan of the caller's tenant. Each caller has the limits of requests; `at_once` and `listeners` count for all
    callers of the tenant together."""

    name: str = Field(examples=["basic"])
    per_minute: int = Field(description="Requests per minute.")
    per_hour: int = Field(description="Requests per hour.")
    per_day: int = Field(description="Requests per day.")
    burst: float = Field(description="Largest burst of requests, as a multiple of `per_minute`.")
    at_once: int = Field(description="Largest number of requests in progress at the same time.")
    listeners: int = Field(description="Largest number of streams of events open at the same time, in each process.")


class WindowLeft(BaseModel):
    """A limit of requests. It refills evenly: after `full_in_s` without a request it is full again."""

    name: str = Field(description="`minute`, `hour` or `day`.", examples=["minute"])
    limit: int = Field(description="Requests in the window.")
    burst: int = Field(description="Requests that may come at once when the window is full.")
    left: int = Field(
        description="Requests that would be accepted now: by all processes together, or, where they do not count together, by "
        "the process that answers, which has an even share of the limit."
    )
    full_in_s: float = Field(description="Seconds until the window is full.")


class PlacesLeft(BaseModel):
    """A limit of things at the same time, in the process that answers."""

    limit: int
    left: int = Field(description="How many more would be accepted now.")


class MyLimits(BaseModel):
    """The limits, with the rest that is left of each."""

    windows: list[WindowLeft] = Field(description="Empty: requests are not limited.")
    at_once: PlacesLeft | None = Field(description="Requests of the tenant in progress; null: not limited by tenant.")
    listeners: PlacesLeft = Field(description="Open streams of events, of changes and of jobs.")
    points: int = Field(description="Largest number of observations of one request, estimated as series times steps.")


class MyDay(BaseModel):
    """The usage of one UTC day."""

    day: date
    requests: int = Field(description="Requests that no limit has refused, whatever their answer.")
    points: int = Field(description="Observations in the answers, cached answers included.")
    bytes: int = Field(description="Bytes of the bodies of the answers as they were sent, so compressed ones count less.")


class Me(BaseModel):
    """The caller."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "tenant": "acme",
                    "subject": "key:3f2c9a606a4b4f0e",
                    "name": "notebook",
                    "person": "owner:Anna Smith",
                    "roles": ["user"],
                    "scopes": ["catalog:read", "series:read"],
                    "plan": {
                        "name": "basic",
                        "per_minute": 300,
                        "per_hour": 5000,
                        "per_day": 50000,
                        "burst": 1.5,
                        "at_once": 10,
                        "listeners": 20,
                    },
                    "limits": {
                        "windows": [{"name": "minute", "limit": 300, "burst": 450, "left": 449, "full_in_s": 0.2}],
                        "at_once": {"limit": 10, "left": 9},
                        "listeners": {"limit": 20, "left": 20},
                        "points": 50000000,
                    },
                    "usage": [{"day": "2026-11-29", "requests": 12, "points": 288, "bytes": 9140}],
                }
            ]
        }
    )

    tenant: str
    subject: str = Field(description="`key:<id>` of an API key, `user:<name>` of a token, or `local` on an open service.")
    name: str | None = Field(description="Name of the API key; null for other callers.")
    person: str | None = Field(
        description="Who acts, for approvals: `owner:<name>` of an API key, `user:<sub>` of a token, or `local`; null: a key "
        "that names no owner."
    )
    roles: list[str] = Field(description="Roles of the key or token that this service knows.")
    scopes: list[str] = Field(description="All permissions, those of the roles included, in alphabetical order.")
    plan: MyPlan | None = Field(description="Null: requests are not limited.")
    limits: MyLimits
    usage: list[MyDay] = Field(description="Usage of this key or user by UTC day, ascending; days without usage are zero.")


class MeMeta(BaseModel):
    """The days of `usage`."""

    days: int
    first: date = Field(description="First day, UTC.")
    last: date = Field(description="Last day, UTC: today.")


class MeAnswer(BaseModel):
    data: Me
    meta: MeMeta
