"""Documents of ``POST /v2/curves/build``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from aurum.api.contract.either import refused_members
from aurum.api.contract.text import Day, Moment, Text
from aurum.api.curves.documents import PeriodDocument
from aurum.api.curves.params import TradeDay
from aurum.api.curves.periods import PeriodName
from aurum.core.curves.build import Objective
from aurum.core.curves.grids import Resolution
from aurum.core.curves.layers import Extrapolate
from aurum.core.curves.periods import PeriodKind
from aurum.core.curves.shapes import Profile
from aurum.services.curves.build_question import (
    MOST_KINDS,
    MOST_PERIODS,
    MOST_QUOTES,
    MOST_TOGETHER,
    BuildQuestion,
    InDelivery,
    InlineQuote,
    Prior,
    Wave,
)
from aurum.services.curves.receipts import Receipt
from aurum.storage.ports.derived_curves import DerivedState

Part = Literal["curve", "report", "periods", "jacobian", "receipt"]


def _distinct(parts: list[Part]) -> list[Part]:
    return list(dict.fromkeys(parts))


Output = Annotated[list[Part], Field(max_length=10), AfterValidator(_distinct)]


class QuoteBody(BaseModel):
    """A quote. Name its period by `period`, or by `start` and `end`."""

    model_config = ConfigDict(extra="forbid")

    period: PeriodName | None = Field(
        None,
        description="Label: `Q1-25`, `Jan-25`, `Cal-26`, `Win-25`, `W03-25`, a date; or an object with `start` and `end`.",
        examples=["Q1-25"],
    )
    start: Text | None = Field(
        None, description="First delivery day, or the instant at which it begins.", examples=["2025-01-01"]
    )
    end: Text | None = Field(
        None, description="Delivery day after the last one, or the instant at which it begins.", examples=["2025-04-01"]
    )
    price: float = Field(strict=True, allow_inf_nan=False, description="Price in the unit of the curve.", examples=[98.31])
    block: Text | None = Field(
        None, description="Block of the delivery calendar. Default: that of the curve.", examples=["PEAK"]
    )


class SeasonBody(BaseModel):
    """A yearly wave: `amplitude` × cos(2π (day of the year − `peak_day`) / 365.25)."""

    model_config = ConfigDict(extra="forbid")

    amplitude: float = Field(strict=True, allow_inf_nan=False, description="In the unit of the curve.", examples=[10])
    peak_day: float = Field(strict=True, ge=0, le=366, description="Day of the year of the highest price.", examples=[15])


class PriorBody(BaseModel):
    """A curve whose difference from the answer is to be smooth. Send exactly one member."""

    model_config = ConfigDict(extra="forbid")

    season: SeasonBody | None = None
    curve: Text | None = Field(
        None, description="Key of another curve, built from its quotes of the same trade date.", examples=["power:FR:base:EEX"]
    )
    shape: Text | None = Field(None, description="Name of a shape; see `/v2/shapes`.", examples=["de-workdays"])

    @model_validator(mode="after")
    def _exactly_one(self) -> PriorBody:
        if sum(value is not None for value in (self.season, self.curve, self.shape)) != 1:
            raise ValueError("send exactly one of season, curve and shape")
        return self


class BuildBody(BaseModel):
    """A curve to build: from the stored quotes of `curve` on `trade_date`, or from `quotes`."""

    model_config = ConfigDict(extra="forbid")

    curve: Text | None = Field(None, description="Key of the product; needed unless `calendar` is sent.")
    together: list[Text] = Field(
        [],
        max_length=MOST_TOGETHER,
        description="Keys of products of the same calendar with other blocks, built on the same grid: `power:DE:peak:EEX`.",
    )
    trade_date: TradeDay | None = Field(
        None, description="Session of the quotes: a date, `latest` or `previous`. Default: the last one with quotes."
    )
    quotes: list[QuoteBody] | None = Field(
        None, max_length=MOST_QUOTES, description="Quotes that take the place of stored ones. Default: stored ones."
    )
    calendar: Text | None = Field(
        None, description="Delivery calendar of `quotes` that belong to no product; see `/v2/calendars`.", examples=["eu_power"]
    )
    as_of: Moment | None = Field(None, description="Quotes and spot prices as known at this instant. Default: now.")
    as_loaded: Moment | None = Field(
        None, description="The store with the files committed up to this instant. Default: the store as it is now."
    )
    grid: Resolution = Field(Resolution.DAY, description="Length of the cells of the curve.")
    objective: Objective = Field(
        Objective.SMOOTH,
        description="`smooth`: the smallest sum of squared second differences. `flat`: constant between the ends of quotes. "
        "`shape`: the profile of a shape around a level that is constant between the ends of quotes.",
    )
    prior: PriorBody | None = Field(None, description="A curve whose difference from the answer is smooth.")
    profile: Profile = Field(
        Profile.AUTO,
        description="With `shape`: factors, or differences. `auto` takes factors where the price of a period is at least a "
        "quarter of the mean of the window from which the shape was learned.",
    )
    shape: Text | None = Field(
        None, description="Name of the shape of `objective=shape`. Default: learned from the spot prices of the product."
    )
    in_delivery: InDelivery = Field(
        InDelivery.EXCLUDE,
        description="Quotes whose delivery has begun: left out, or less their realised spot hours.",
    )
    extrapolate: Extrapolate = Field(Extrapolate.NONE, description="Values of cells within the grid that no quote covers.")
    start: Day | None = Field(None, alias="from", description="First delivery day of the answer. Default: that of the quotes.")
    to: Day | None = Field(None, description="Delivery day to end before. Default: the end of the quotes.")
    strict: bool = Field(False, strict=True, description="Refuse quotes that contradict each other by more than a tick.")
    kinds: list[PeriodKind] = Field(
        [], max_length=MOST_KINDS, description="Only stored quotes of these kinds of period. Default: all."
    )
    periods: list[PeriodName] = Field(
        [],
        max_length=MOST_PERIODS,
        description="Periods whose prices to state: labels, or objects with `start` and `end`. Default: the months of the "
        "curve.",
    )
    output: Output = Field(
        ["curve", "report", "receipt"],
        description="Members of the answer: `curve`, `report`, `periods` (their prices), `jacobian`; `receipt` always.",
    )
    layout: Literal["rows", "columns"] = Field("rows", description="Form of `curve`: an object a cell, or an array a column.")
    format: Literal["json", "ndjson", "csv", "arrow", "parquet"] | None = Field(
        None, description="Formats other than `json` have the curve alone. Default: by `Accept`, else `json`."
    )

    def question(self) -> BuildQuestion:
        """Return the question that the body states."""
        prior = None
        if self.prior is not None:
            season = self.prior.season
            wave = None if season is None else Wave(season.amplitude, season.peak_day)
            prior = Prior(wave, self.prior.curve, self.prior.shape)
        quotes = self.quotes
        return BuildQuestion(
            curve=self.curve,
            together=tuple(self.together),
            trade_date=self.trade_date,
            quotes=None if quotes is None else tuple(InlineQuote(**quote.model_dump()) for quote in quotes),
            calendar=self.calendar,
            as_of=self.as_of,
            as_loaded=self.as_loaded,
            grid=self.grid,
            objective=self.objective,
            prior=prior,
            profile=self.profile,
            shape=self.shape,
            in_delivery=self.in_delivery,
            extrapolate=self.extrapolate,
            first=self.start,
            end=self.to,
            strict=self.strict,
            kinds=tuple(map(str, self.kinds)),
            periods=tuple(self.periods),
        )


class RepeatBody(BaseModel):
    """A build to repeat: the `receipt` of an answer, as it came."""

    model_config = ConfigDict(extra="forbid")

    receipt: Receipt
    output: Output = Field(["curve", "report", "receipt"], description="As in a new build.")
    layout: Literal["rows", "columns"] = Field("rows", description="As in a new build.")
    format: Literal["json", "ndjson", "csv", "arrow", "parquet"] | None = Field(None, description="As in a new build.")


def form_of_build(body: Mapping[str, object]) -> type[BuildBody | RepeatBody]:
    """Return the form of a body: a repeat if it has a receipt, else a build.

    Raises ``ValidationError`` for a repeat with members of a build.
    """
    if "receipt" not in body:
        return BuildBody
    if others := [name for name in body if name not in RepeatBody.model_fields]:
        why = "does not go with receipt, which has the whole question: a repeat takes receipt, output, layout and format alone"
        raise refused_members(body, others, why)
    return RepeatBody


class CellDocument(BaseModel):
    """A cell of a curve. Curves built together add columns named by their blocks, such as `peak` and `off_peak`."""

    model_config = ConfigDict(extra="allow")

    start: datetime
    end: datetime
    value: float | None = Field(description="Price; null before the first and after the last quote.")


class ImplyingDocument(BaseModel):
    """A quote that implies another one. `weight`: signed hours (or days), by which its price counts."""

    quote: str
    price: float
    weight: float


class RedundantDocument(BaseModel):
    """A quote that finer quotes imply."""

    quote: str
    price: float
    implied: float = Field(description="Sum of weight × price of `implied_by`, over `weight`.")
    size: float = Field(description="`price` − `implied`.")
    weight: float = Field(description="Weight of its period.")
    implied_by: list[ImplyingDocument]


class PeriodPriceDocument(BaseModel):
    """The price of a period on the curve."""

    period: PeriodDocument
    block: str = Field(description="`BASE`: all hours.")
    value: float | None = Field(
        description="Mean over the hours of the block; null where the curve does not cover all of them."
    )


class SpanDocument(PeriodDocument):
    """Days in which no quote of a block lies."""

    block: str | None = Field(description="null: all hours.")
    fill: Literal["none", "interpolated", "flat", "trend"] = Field(
        description="How they got their price: `none`: they have none; `interpolated`: the curve goes on between quotes."
    )


class RestDocument(BaseModel):
    """The quote of the days that are left."""

    period: str
    price: float


class NettedDocument(BaseModel):
    """A quote in delivery, less its realised spot hours."""

    quote: str
    price: float
    realised: float | None = Field(description="Mean of the realised hours.")
    hours: float = Field(description="Number of realised hours.")
    rest: RestDocument | None = Field(description="null: nothing is left.")


class ProfileDocument(BaseModel):
    """How a shape is laid over the price of a period: as factors, or as differences."""

    period: PeriodDocument
    block: str
    profile: Literal["multiplicative", "additive"]


class ReportDocument(BaseModel):
    """A build, examined."""

    quotes: int = Field(description="Number of quotes that the build used.")
    independent: int = Field(description="Quotes that the curve reprices, to 1e-9.")
    redundant: int = Field(description="Quotes that finer ones imply: `rounding` and `contradictions` together.")
    rounding: list[RedundantDocument] = Field(description="Redundant quotes within one tick of what finer ones imply.")
    contradictions: list[RedundantDocument] = Field(description="Redundant quotes further off.")
    max_abs_error: float = Field(description="Largest difference of an independent quote from its price on the curve.")
    objective: float = Field(description="Sum of squared second differences of the daily level, less the prior.")
    uncovered: list[SpanDocument] = Field(description="Days without a quote.")
    extrapolated: list[SpanDocument] = Field(description="Days outside the quotes, priced because the request wants it.")
    excluded: list[str] = Field(description="Quotes left out because their delivery has begun.")
    without_hours: list[str] = Field(
        description="Stored quotes left out because their period has no hours of their block, such as a Sunday of a peak curve."
    )
    netted: list[NettedDocument] = Field(description="Quotes in delivery, as they were used.")
    profiles: list[ProfileDocument] = Field(description="The profile between each two ends of quotes, with objective shape.")
    mids: list[str] = Field(description="Quotes without a settlement, whose price is the mean of bid and ask.")


class JacobianDocument(BaseModel):
    """The derivatives of the prices of periods by the prices of quotes: `values[period][quote]`."""

    periods: list[str]
    quotes: list[str]
    values: list[list[float | None]]


class BuildMeta(BaseModel):
    """The question as the service resolved it."""

    curve: str | None
    together: list[str]
    derived: dict[str, DerivedState] = Field(
        description="States of derived curves, by key: an input of one that is not `fresh` has changed since it was computed."
    )
    trade_date: str | None
    as_of: datetime | None
    as_loaded: datetime | None
    calendar: str
    grid: Resolution
    objective: Objective
    unit: str | None
    currency: str | None
    count: int = Field(description="Number of cells.")
    shape: dict[str, Any] | None = Field(None, description="The shape that was laid over the curve.")
    reason: str | None = Field(None, description="Why no cell has a price; null: one has.")


class BuildAnswerDocument(BaseModel):
    """A built curve: the members that `output` names, the receipt and `meta`."""

    curve: list[CellDocument] | dict[str, list[Any]] | None = None
    report: ReportDocument | None = None
    periods: list[PeriodPriceDocument] | None = None
    jacobian: JacobianDocument | None = None
    receipt: Receipt | None = None
    meta: BuildMeta


class ShapeAnswerDocument(BaseModel):
    """A price-forward curve."""

    data: list[CellDocument] | dict[str, list[Any]]
    meta: BuildMeta
