"""Documents of ``/v2/curves/derived``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from aurum.api.contract.schemas import PageMeta
from aurum.api.contract.text import Day, Members, Text
from aurum.api.curves.documents import Owner
from aurum.services.curves.derived import NewDerived, stale_inputs
from aurum.storage.ports.derived_curves import DerivedCurve, DerivedState

_SPREAD: dict[str, JsonValue] = {
    "key": "power:DE:base:DESK",
    "title": "German base of the desk",
    "expression": {"op": "shift", "curve": "power:DE:base:EEX", "by": 0.85},
    "from": "2024-01-02",
}
_REPORT: dict[str, JsonValue] = {
    "whole": True,
    "trade_dates": 1,
    "first_trade_date": "2024-10-14",
    "last_trade_date": "2024-10-14",
    "quotes": 11,
    "priced": 11,
    "unpriced": {},
    "new": 11,
    "revised": 0,
    "withdrawn": 0,
    "unchanged": 0,
    "left_out": 0,
    "basis": {"equal": 0, "rounding": 0, "contradiction": 0},
    "contradictions": [],
}


class NewDerivedCurve(BaseModel):
    """A derived curve to add."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_SPREAD]})

    key: Text = Field(
        description="Key of the curve, `commodity:area:block:venue`. Its product is added with the terms of the first input, "
        "and with the block that the key names, if it names one."
    )
    expression: Members = Field(
        description="An operation and its operands, each the key of a curve or an expression: `shift {curve, by, unit?}`, "
        "`scale {curve, by}`, `roll {curve, months}`, `combine {a, b, factor?}` (a less factor times b), `basis {hub, basis, "
        "outright?}`, `convert {curve, unit?, currency?}`."
    )
    title: Text | None = Field(default=None, description="Title of its product. Default: by the inputs.")
    tick: float | None = Field(
        default=None,
        strict=True,
        gt=0,
        allow_inf_nan=False,
        description="Smallest step of a price. Default: by the first input.",
    )
    from_: Day | None = Field(
        default=None, alias="from", description="First trade date, YYYY-MM-DD. Default: the first of the first input."
    )
    owner: Owner = Field(default="tenant", description="`tenant`: yours. `shared`: of all, which needs `admin:write`.")

    def to_domain(self) -> NewDerived:
        """Return the request of the use case."""
        return NewDerived(self.key, self.expression, self.title, self.tick, self.from_)


class DerivedInputDocument(BaseModel):
    """An input of a derived curve."""

    curve: str = Field(description="Key of the curve.")
    built_version: int | None = Field(description="Version of the curve that the last build has read; null before the first.")
    version: int | None = Field(description="Version of the curve now; null if it was removed.")


class StaleInputDocument(BaseModel):
    """An input that changed since the last build: its quotes, its terms, or the exchange rates."""

    curve: str = Field(
        description="Key of the input, of the curve itself for its own terms, or `ecb:reference_rates` for the exchange rates."
    )
    trade_dates: int | None = Field(
        description="Number of trade dates with changed quotes; of exchange rates, of those that use a changed rate. "
        "Null: all of them, because the terms changed by which the input is read."
    )
    first: date | None
    last: date | None
    since: datetime = Field(description="Time of the first change that no build has read.")


class DerivedCurveDocument(BaseModel):
    """A derived curve."""

    derived_id: str = Field(examples=["5e884898da28047151d0e56f8dc62927"])
    key: str = Field(description="Key of the curve, whose quotes, strips and builds are read like those of any other.")
    owner: Owner
    expression: dict[str, Any]
    first_trade_date: date | None = Field(description="First trade date that is derived; null: all of its first input.")
    state: DerivedState = Field(
        description="`fresh`; `stale`: an input or an exchange rate changed since the last build, also one of a derived curve "
        "that it reads; `building`: it was never built; `failed`: the last build failed."
    )
    inputs: list[DerivedInputDocument]
    stale: list[StaleInputDocument] = Field(description="What made it stale, by input.")
    waits_for: list[str] = Field(
        description="Derived curves that it reads, also through others, which are not fresh: it is built after them.",
        examples=[["power:DE:base:DESK"]],
    )
    error: str | None = Field(description="Why the last build failed; null if it did not.")
    failed_at: datetime | None
    built_at: datetime | None = Field(description="Time of the last build, since when its quotes are known.")
    report: dict[str, Any] | None = Field(
        description="Of the last build: `quotes` computed, how many are `priced`, the others by reason in `unpriced`; how many "
        "are `new`, `revised`, `unchanged`, `withdrawn` because they are not derived any more, or `left_out`: "
        "not stored, because they have no price although an input has one; `basis`: how outright quotes "
        "compare with hub plus basis, and the first `contradictions`.",
        examples=[_REPORT],
    )
    created_at: datetime
    created_by: str

    @classmethod
    def from_domain(cls, curve: DerivedCurve, versions: dict[str, int]) -> DerivedCurveDocument:
        """Return the document of a derived curve. ``versions``: of its inputs now, by key."""
        inputs = [
            DerivedInputDocument(curve=one.key, built_version=one.version, version=versions.get(one.key))
            for one in curve.inputs
        ]
        stale = [
            StaleInputDocument(curve=one.key, trade_dates=one.trade_dates, first=one.first, last=one.last, since=one.since)
            for one in stale_inputs(curve)
        ]
        return cls(
            derived_id=curve.derived_id,
            key=curve.key,
            owner="shared" if curve.tenant is None else "tenant",
            expression=dict(curve.expression),
            first_trade_date=curve.first,
            state=curve.state,
            inputs=inputs,
            stale=stale,
            waits_for=list(curve.waits_for),
            error=curve.error or None,
            failed_at=curve.failed_at,
            built_at=curve.built_at,
            report=None if curve.report is None else dict(curve.report),
            created_at=curve.created_at,
            created_by=curve.created_by,
        )


class DerivedCurvePage(BaseModel):
    """A page of derived curves, ascending by key."""

    data: list[DerivedCurveDocument]
    meta: PageMeta


class DerivedCurveAnswer(BaseModel):
    data: DerivedCurveDocument


class RebuildDocument(BaseModel):
    """A job that builds a curve anew."""

    job_id: str = Field(description="See `/v2/jobs/{job_id}`.", examples=["01934f1c-5a00-7000-8000-000000000001"])


class RebuildAnswer(BaseModel):
    data: RebuildDocument
