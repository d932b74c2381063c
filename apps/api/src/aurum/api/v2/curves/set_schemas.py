"""Documents of ``/v2/curves/sets``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from aurum.api.contract.schemas import PageMeta
from aurum.api.contract.text import Text
from aurum.api.curves.documents import PeriodDocument
from aurum.api.curves.periods import PeriodName
from aurum.api.v2.curves.schemas import Names
from aurum.core.curves.mark_checks import MarkCheck
from aurum.core.curves.marks import MarkFlag, Override, SetState
from aurum.core.curves.quotes import PriceFrom
from aurum.services.curves import DeliveryPeriod
from aurum.services.curves.marks import (
    MOST_REASON,
    Comparison,
    SetMarks,
    Tolerance,
    delivery_rows,
    mark_rows,
    override_row,
    period_document,
)
from aurum.storage.ports.curve_sets import CurveSet

Reason = Annotated[str, StringConstraints(min_length=1, max_length=MOST_REASON, pattern=r"^[^\x00]*$")]
Version = Annotated[
    int | None,
    Field(
        strict=True,
        ge=1,
        le=2**53,
        description="Version that you have read: another one is a conflict. Default: the current one.",
    ),
]
Price = Annotated[float, Field(strict=True, allow_inf_nan=False)]
MarkSource = Literal["quote", "mid", "override"]


class NewSet(BaseModel):
    """A curve set to be created."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "German power, close", "trade_date": "2024-10-14", "curves": ["power:DE:*:EEX"]}]
        },
    )

    name: Text = Field(description="Name of the set, which several sets may have.")
    trade_date: Text = Field(description="YYYY-MM-DD, or `latest`: the newest with data of any of the curves.")
    curves: list[Names] = Field(
        min_length=1, max_length=1_000, description="Keys of curves; in a pattern `*` stands for any text, read once, now."
    )
    as_of: Text | None = Field(
        default=None, description="Quotes as known at this instant. Default: as known when the set is read or submitted."
    )
    overrides_of: Text | None = Field(
        default=None,
        description="`set_id` of a set, such as that of the day before: its overrides that have `expires` and hold for this "
        "trade date still are copied, with their authors. Default: no overrides.",
    )


class NewSetOverride(BaseModel):
    """A price that replaces the quote of one period. A second one of the same period replaces the first."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "curve": "power:DE:base:EEX",
                    "period": "Q1-25",
                    "settle": 98.1,
                    "reason": "broker runs after the close",
                    "expires": "2024-10-18",
                }
            ]
        },
    )

    curve: Text = Field(description="Key of a curve of the set.")
    period: PeriodName = Field(
        description="Delivery period, quoted or not: a label, `2025-01-01..2025-04-01`, half-open, or an object with `start` "
        "and `end`."
    )
    settle: Price = Field(description="In the unit of the curve.")
    bid: Price | None = Field(default=None, description="Default: none; the quoted one does not stand beside an override.")
    ask: Price | None = Field(default=None, description="Default: none.")
    reason: Reason = Field(description="Why the quote does not stand; not blank.")
    expires: Text | None = Field(
        default=None,
        description="Last trade date of sets that it holds for (YYYY-MM-DD), or the instant at which it ends (RFC 3339). From "
        "then on the quote stands again, save in marks that were submitted before. Default: it does not expire.",
    )
    version: Version = None


class SetChange(BaseModel):
    """A step of a set."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"version": 2}]})

    version: Version = None


class SetSubmit(SetChange):
    """The submit of a set."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"version": 2, "allow_missing": False}]})

    allow_missing: bool = Field(
        default=False, strict=True, description="Submit although curves have no quotes on the trade date. Default: false."
    )


class SetReason(SetChange):
    """A step back to a draft: the rejection or the reopening of a set."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"version": 3, "reason": "the broker corrected Q1"}]}
    )

    reason: Reason = Field(description="Why; not blank.")


class StepDocument(BaseModel):
    """A step that was taken."""

    step: str = Field(description="`create`, `submit`, `approve`, `reject`, `close` or `reopen`.", examples=["submit"])
    at: datetime
    by: str = Field(description="The credential: `key:<id>`, `user:<sub>`, `local` or `operator`.")
    person: str | None = Field(description="Who used it: `owner:<name>`, `user:<sub>`; null: unknown.")
    reason: str = Field(description="Of a rejection or a reopening; else empty.")


class SetDocument(BaseModel):
    """A curve set: curves that a desk marks together on a trade date."""

    set_id: str = Field(description="Never changes.", examples=["5e884898da28047151d0e56f8dc62927"])
    name: str
    trade_date: date
    as_of: datetime | None = Field(description="Quotes as known then; null: as known when the set is read or submitted.")
    state: SetState
    version: int = Field(description="Rises with every change.")
    curves: list[str]
    created_at: datetime
    steps: list[StepDocument] = Field(description="What was done by whom, the first step first.")
    pinned_at: datetime | None = Field(description="When the marks were read that were submitted; null for a draft.")
    supersedes: str | None = Field(description="Official set that this one was reopened from.")
    superseded_by: str | None = Field(description="Official set that took its place.")

    @classmethod
    def members(cls, one: CurveSet) -> dict[str, Any]:
        """Return the members of a document of a set."""
        names = ("set_id", "name", "trade_date", "as_of", "state", "version", "curves", "created_at", "pinned_at")
        more = {name: getattr(one, name) for name in (*names, "supersedes", "superseded_by")}
        return {**more, "steps": [asdict(step) for step in one.steps]}

    @classmethod
    def from_domain(cls, one: CurveSet) -> SetDocument:
        """Return the document of a set."""
        return cls.model_validate(cls.members(one))


class SetsPage(BaseModel):
    """A page of sets, the newest first."""

    data: list[SetDocument]
    meta: PageMeta


class SetChanged(BaseModel):
    data: SetDocument


class OverrideDocument(BaseModel):
    """An override of a set."""

    curve: str
    period: PeriodDocument | None = Field(description="null: the curve is no more, and the marks do not name its period.")
    settle: float
    bid: float | None
    ask: float | None
    reason: str
    expires: date | datetime | None = Field(description="Last trade date, or the instant at which it ends; null: never.")
    is_expired: bool = Field(description="It does not hold now; what was submitted holds what held then.")
    made_at: datetime
    made_by: str
    person: str | None

    @classmethod
    def from_domain(
        cls, override: Override, period: DeliveryPeriod | None, trade_date: date, now: datetime
    ) -> OverrideDocument:
        """Return the document of an override of a set of a trade date."""
        expired = not override.holds(trade_date, now)
        return cls.model_validate({**override_row(override, period), "is_expired": expired})


class OverrideAnswer(BaseModel):
    """The override that was stored, and the version of its set."""

    data: OverrideDocument
    meta: SetDocument


class MarkDocument(BaseModel):
    """The price of one period of a curve in a set."""

    curve: str
    period: PeriodDocument
    quoted: float | None = Field(description="Settlement price that was published; null: none.")
    quoted_bid: float | None
    quoted_ask: float | None
    override: float | None = Field(description="Price of the override that holds.")
    value: float | None = Field(description="The mark: the override, else the quote.")
    bid: float | None
    ask: float | None
    unit: str
    currency: str | None
    source: MarkSource | None = Field(
        description="Where `value` comes from; `mid`: the mean of bid and ask, because no settlement is stored. null: no price."
    )
    flags: list[MarkFlag]
    known_at: datetime | None = Field(description="Known time of the quote; null for a period that is not quoted.")


class ChangedDocument(BaseModel):
    """A quote that was corrected, added or withdrawn since the marks were submitted."""

    curve: str
    period: PeriodDocument | None = Field(description="null: the curve is no more, and the marks do not name its period.")
    source: MarkSource | None = Field(
        description="Where the mark of the set comes from: an override stands whatever the quote does; null: it has no price."
    )
    pinned: float | None = Field(description="Settlement price of the quote in the set.")
    pinned_bid: float | None
    pinned_ask: float | None
    current: float | None = Field(description="Settlement price as known now.")
    current_bid: float | None
    current_ask: float | None
    known_at: datetime | None = Field(description="Known time of the present quote.")


class SetDetail(SetDocument):
    """A set with its marks."""

    missing: list[str] = Field(description="Curves without quotes on the trade date.")
    overrides: list[OverrideDocument]
    values_count: int
    values: list[MarkDocument] | None = Field(
        description="The marks, by curve and delivery; null where there are more than a JSON document may have: read `/values`."
    )
    changed_count: int
    changed_since: list[ChangedDocument] = Field(
        description="Quotes that differ from those that were submitted; the first ones of more than a JSON document may have."
    )

    @classmethod
    def from_marks(cls, made: SetMarks, *, most: int) -> SetDetail:
        """Return the document of a set with its marks, if they are ``most`` at most."""
        one, now = made.plan.curve_set, made.plan.now
        overrides = [
            OverrideDocument.from_domain(each, made.periods.get((each.curve, each.first, each.end)), one.trade_date, now)
            for each in made.plan.overrides
        ]
        members = {
            "missing": list(made.missing),
            "overrides": overrides,
            "values_count": made.frame.height,
            "values": mark_documents(made.frame) if made.frame.height <= most else None,
            "changed_count": made.changed.height,
            "changed_since": delivery_rows(made, made.changed.head(most)),
        }
        return cls.model_validate(cls.members(one) | members)


class SetAnswer(BaseModel):
    data: SetDetail


class MarksMeta(BaseModel):
    """Facts about the marks of a set."""

    count: int
    set_id: str
    name: str
    state: SetState
    version: int
    trade_date: date
    as_of: datetime | None
    pinned_at: datetime | None


class MarksDocument(BaseModel):
    """The marks of a set by curve and delivery. With `layout=columns`, `data` has one array per field."""

    data: list[MarkDocument] | dict[str, list[Any]]
    meta: MarksMeta


class FindingDocument(BaseModel):
    """A finding of a check: a mark, or a curve, that a reader should look at."""

    curve: str
    period: PeriodDocument | None = Field(description="null: the whole curve.")
    check: MarkCheck = Field(description="`unit_jump`: a ratio near a power of ten. `stale`: no move while the others moved.")
    price: float | None = Field(description="The mark; null for a curve.")
    before: float | None = Field(description="The quote of the session before; null for a curve.")
    ratio: float | None = Field(description="Of both; of a curve the median.")
    sessions: int | None = Field(description="Sessions without a move.")


class ChecksAnswer(BaseModel):
    """The findings of the checks about the marks of a set, beside the sessions before."""

    data: list[FindingDocument]
    meta: MarksMeta

    @classmethod
    def from_marks(cls, made: SetMarks, meta: Mapping[str, object]) -> ChecksAnswer:
        """Return the findings about the marks of a set."""
        return cls.model_validate({"data": delivery_rows(made, made.findings), "meta": meta})


class ToleranceBody(BaseModel):
    """The largest difference that is not a breach; of two limits the larger counts."""

    model_config = ConfigDict(extra="forbid")

    absolute: float | None = Field(default=None, strict=True, ge=0, allow_inf_nan=False, description="In the unit of the mark.")
    relative: float | None = Field(default=None, strict=True, ge=0, le=1, description="Fraction of the other price.")

    def tolerance(self) -> Tolerance:
        """Return the tolerance."""
        return Tolerance(self.absolute, self.relative)


class Tolerances(BaseModel):
    """Tolerances by curve: the key counts first, then the longest pattern, then `default`."""

    model_config = ConfigDict(extra="forbid")

    default: ToleranceBody | None = None
    curves: dict[Text, ToleranceBody] = Field(default={}, max_length=1_000, description="By key, or pattern with `*`.")


class CompareBody(BaseModel):
    """A comparison of the marks of a set with other prices."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"venue": "EUGP", "tolerance": {"default": {"absolute": 0.5}, "curves": {"gas:*": {"relative": 0.02}}}}
            ]
        },
    )

    against: dict[Text, Text] = Field(
        default={}, max_length=1_000, description="Key of another curve by key of a curve of the set."
    )
    venue: Text | None = Field(default=None, description="Venue of the other curves of those that `against` does not name.")
    tolerance: Tolerances
    as_of: Text | None = Field(
        default=None,
        description="Other prices as known at this instant. Default: `as_of` of the set, and of a set without one now.",
    )


class ComparedDocument(BaseModel):
    """A mark beside another price of the same delivery, in the unit of the mark."""

    curve: str
    period: PeriodDocument
    other_curve: str
    value: float
    other: float
    difference: float = Field(description="`value` - `other`.")
    tolerance: float
    method: str = Field(
        description="How the other price was made: `quoted`, `from_finer`; `own_from_finer`: it is "
        "quoted, and the mark is the strip of finer marks."
    )
    price_from: PriceFrom = Field(
        description="`mid`: a quote that makes the other price has no settlement, and the mean of its bid and ask counts; else "
        "`settle`."
    )
    unit: str


class NotComparedDocument(BaseModel):
    """A mark, or a curve, that could not be compared."""

    curve: str
    period: PeriodDocument | None = Field(description="null: the whole curve.")
    other_curve: str | None
    reason: str


class NotIndependentDocument(BaseModel):
    """A curve that was compared with one that it depends on."""

    curve: str
    other_curve: str
    reason: str = Field(description="Which is derived from which, or what both are derived from.")


class CompareMeta(BaseModel):
    """Facts about a comparison."""

    compared: int
    breaches: int
    as_of: datetime | None
    not_compared: list[NotComparedDocument]
    not_independent: list[NotIndependentDocument] = Field(
        description="Curves that were compared with prices that are derived from theirs, or theirs from those, or both from a "
        "third curve: that they agree says little."
    )


class CompareAnswer(BaseModel):
    """Breaches of tolerances, the largest difference first."""

    data: list[ComparedDocument]
    meta: CompareMeta

    @classmethod
    def from_domain(cls, compared: Comparison) -> CompareAnswer:
        """Return the answer about a comparison."""
        breaches = compared.frame.filter(pl.col("is_breach"))
        skipped = [
            NotComparedDocument.model_validate(
                {
                    "curve": one.curve,
                    "period": period_document(one.period),
                    "other_curve": one.other_curve,
                    "reason": one.reason,
                }
            )
            for one in compared.not_compared
        ]
        meta = CompareMeta(
            compared=compared.frame.height,
            breaches=breaches.height,
            as_of=compared.as_of,
            not_compared=skipped,
            not_independent=[NotIndependentDocument(**asdict(one)) for one in compared.not_independent],
        )
        return cls(data=[ComparedDocument.model_validate(row) for row in mark_rows(breaches)], meta=meta)


def mark_documents(frame: pl.DataFrame) -> list[MarkDocument]:
    """Return the documents of marks, schema ``NAMED_MARKS``."""
    flags = frame["flags"].fill_null("").str.split(",").list.eval(pl.element().filter(pl.element() != ""))
    return [MarkDocument.model_validate(row) for row in mark_rows(frame.with_columns(flags=flags))]


WRITTEN = (MarksDocument,)
"""Documents of routes that write their own bytes."""
