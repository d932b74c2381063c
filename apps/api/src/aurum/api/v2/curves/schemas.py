"""Documents of ``/v2/curves``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, JsonValue, StringConstraints

from aurum.api.contract.schemas import PageMeta, QuoteFlagDocument
from aurum.api.contract.text import Text
from aurum.api.curves.documents import CalendarDocument, PeriodDocument, ProductDocument
from aurum.api.curves.params import CURRENCY
from aurum.api.curves.periods import LABEL_OR_SPAN, PeriodName
from aurum.core.curves.periods import PeriodKind
from aurum.core.curves.quotes import PriceFrom
from aurum.core.curves.strips import StripMethod
from aurum.services.curves import CurveFacts
from aurum.services.curves.sparklines import NO_SPARKLINE, Sparkline
from aurum.storage.ports.curves import StoredProduct
from aurum.storage.ports.derived_curves import DerivedState

_QUOTED: dict[str, JsonValue] = {
    "trade_date": "2024-10-14",
    "period": PeriodDocument.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
    "settle": 98.31,
    "bid": None,
    "ask": None,
    "volume_mwh": 43180.0,
    "known_at": "2024-10-14T16:30:00Z",
}


_EXCHANGES = "Exchange rates of the trade date by which prices were converted."


class SparklineDocument(BaseModel):
    """The price of the front period of a curve on its last trade dates.

    One tenor on all of them: the month ahead that is the first priced one on most trade dates, `M+1` or `M+2`. Of a curve
    without months it is a quarter, season or year ahead; of one without those, the first period after each trade date.
    """

    first: date | None = Field(description="First trade date of the points; null without any.")
    last: date | None = Field(description="Last trade date of the points; null without any.")
    points: list[float] = Field(description="Prices, by trade date.", examples=[[91.2, 92.05, 90.4]])
    svg: str = Field(description="A picture of them, 100 by 24 pixels.")


class CurveDocument(ProductDocument):
    """A curve: a product with the trade dates of its quotes."""

    first_trade_date: date | None = Field(description="First trade date with quotes; null without any.")
    last_trade_date: date | None = Field(description="Last trade date with quotes; null without any.")
    sparkline: SparklineDocument | None = Field(default=None, description="Only in lists, with `sparkline`; else null.")

    @classmethod
    def from_domain(cls, stored: StoredProduct, lines: Mapping[int, Sparkline] | None = None) -> CurveDocument:
        """Return the document of a stored product. ``lines``: sparklines by curve id, where they are requested."""
        more: dict[str, object] = {"first_trade_date": stored.first_trade_date, "last_trade_date": stored.last_trade_date}
        if lines is not None:
            line = lines.get(stored.curve_id, NO_SPARKLINE)
            more["sparkline"] = {"first": line.first, "last": line.last, "points": line.points, "svg": line.svg}
        return cls.model_validate(ProductDocument.members(stored) | more)


class CurvesMeta(PageMeta):
    """The page of the list of curves."""

    facets: dict[str, dict[str, int]] = Field(
        description="For `commodity`, `area`, `block` and `venue`: numbers of matching curves by value, of all pages.",
        examples=[{"commodity": {"power": 12, "gas": 3}}],
    )


class CurvesAnswer(BaseModel):
    """A page of curves, ascending by key."""

    data: list[CurveDocument]
    meta: CurvesMeta


class CompletenessDocument(BaseModel):
    """Trade dates beside the sessions of the venue, from the first to the last trade date."""

    calendar: str = Field(description="Calendar of sessions.", examples=["XEEE"])
    expected: int = Field(description="Number of sessions.")
    received: int = Field(description="Number of trade dates with quotes.")
    missing_count: int = Field(description="Number of sessions without quotes.")
    missing: list[date] = Field(description="The newest of them, 20 at most.")
    outside_count: int = Field(description="Number of trade dates that are no sessions.")
    outside: list[date] = Field(description="The newest of them, 20 at most.")


class KindCompletenessDocument(CompletenessDocument):
    """Completeness of the quotes of one kind of period, from its first trade date to the last one of the curve."""

    kind: PeriodKind = Field(examples=["quarter"])
    quotes: int = Field(description="Number of quotes of this kind.")


class SettlementDocument(BaseModel):
    """The series that a curve settles against."""

    key: str = Field(examples=["eex:day_ahead_auction:DE:price_60min"])
    unit: str | None = Field(description="Unit of its values; null while the store does not have the series.")
    currency: str | None
    first: datetime | None = Field(description="Start of its first interval; null without one.")
    last: datetime | None = Field(description="Start of its last interval; null without one.")


class CurveFactsDocument(CurveDocument):
    """A curve with its delivery calendar, and the completeness of its quotes."""

    delivery_calendar: CalendarDocument
    settlement: SettlementDocument | None = Field(description="Series that it settles against; null: unknown.")
    completeness: CompletenessDocument | None = Field(
        description="Null while the curve has no quotes, or where the sessions of its venue are unknown."
    )
    kinds: list[KindCompletenessDocument] = Field(
        default=[], description="With `by_kind`: completeness of each kind of period that the curve quotes."
    )

    @classmethod
    def from_facts(cls, facts: CurveFacts) -> CurveFactsDocument:
        """Return the document of a curve."""
        plan, complete = facts.plan, facts.completeness
        whole = CurveDocument.from_domain(plan.stored).model_dump()
        return cls.model_validate(
            whole
            | {
                "delivery_calendar": plan.terms.calendar.to_document(),
                "settlement": None if plan.settlement is None else asdict(plan.settlement),
                "completeness": None if complete is None else asdict(complete),
                "kinds": [{"kind": one.kind, "quotes": one.quotes, **asdict(one.completeness)} for one in facts.kinds],
            }
        )


class CurveAnswer(BaseModel):
    data: CurveFactsDocument


class CurveMeta(BaseModel):
    """A curve as an answer has it."""

    key: str = Field(examples=["power:DE:base:EEX"])
    title: str
    unit: str = Field(description="Unit of the prices in this answer.", examples=["EUR/MWh"])
    currency: str | None = Field(description="Currency of the prices in this answer; null where none applies.")
    calendar: str = Field(description="Name of the delivery calendar.", examples=["eu_power"])
    version: int = Field(description="Rises whenever the quotes or the terms of the curve change.")
    derived: DerivedState | None = Field(
        description="State of a derived curve: unless it is `fresh`, an input has changed since its quotes were computed. "
        "Null: the curve is not derived."
    )


class ExchangeDocument(BaseModel):
    """The exchange rate that prices of a trade date were converted at."""

    pair: str = Field(description="Two currencies.", examples=["EURUSD"])
    trade_date: date
    rate: float = Field(description="Price of one unit of the first currency in the second.", examples=[1.0933])
    day: date = Field(
        alias="date", description="Day of the rate: earlier than the trade date only where the ECB publishes none on that."
    )


class QuoteDocument(BaseModel):
    """A quote: what its venue published about one delivery period on one trade date, as known at `as_of`."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [_QUOTED]})

    curve: str | None = Field(default=None, description="Key of the curve; only in answers about several.")
    trade_date: date
    period: PeriodDocument
    settle: float | None = Field(default=None, description="Settlement price; null: listed without a price.")
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    last: float | None = None
    bid: float | None = None
    ask: float | None = None
    volume_mwh: float | None = None
    open_interest: float | None = None
    mid: float | None = Field(default=None, description="Mean of bid and ask; derived, and only there when requested.")
    known_at: datetime = Field(description="Time since when this row has been known.")


class QuotesMeta(BaseModel):
    """Facts about quotes."""

    count: int
    curve: CurveMeta | None = Field(default=None, description="The curve, in answers about one.")
    curves: list[CurveMeta] | None = Field(default=None, description="The curves, in answers about several.")
    trade_date: date | None = Field(default=None, description="The trade date, if there is one.")
    as_of: datetime | None
    derived: list[str] = Field(description="Fields that are not published but derived.")
    fx: list[ExchangeDocument] = Field(description=f"{_EXCHANGES} Empty in answers about a span of trade dates.")
    reason: str | None = Field(
        description="Why there are no quotes: the nearest trade dates with quotes, or that the periods are not quoted; null: "
        "there are some.",
        examples=["no quotes on 2024-10-13; nearest trade dates: 2024-10-11, 2024-10-14"],
    )


class QuotesDocument(BaseModel):
    """Quotes by curve, trade date and delivery. With `layout=columns`, `data` has one array per field."""

    data: list[QuoteDocument] | dict[str, list[Any]]
    meta: QuotesMeta


class StripPartDocument(BaseModel):
    """A part of a strip."""

    block: str | None = Field(default=None, description="Block of the part; only of off-peak, made of `base` and `peak`.")
    period: PeriodDocument
    weight: float = Field(description="Its hours, days, sessions, or 1; negative for the hours that off-peak leaves out.")
    value: float


class StripDocument(BaseModel):
    """The price of a period."""

    period: PeriodDocument
    value: float | None = Field(description="Null where the quotes do not give it.")
    quoted: float | None = Field(description="The exchange's own quote of the period.")
    difference: float | None = Field(description="`value` - `quoted`.")
    method: StripMethod | None = Field(
        description="`quoted`: nothing finer tiles the period. `from_finer`: average of the quotes that tile it. "
        "`from_blocks`: off-peak, from base and peak by hours. `from_build`: by a built curve."
    )
    coverage: float = Field(description="Share of the hours of the period that priced quotes cover.")
    is_consistent: bool = Field(description="The difference from the exchange's own quote is at most one tick.")
    parts: list[StripPartDocument]
    reason: str | None = Field(description="Why there is no value.")
    price_from: PriceFrom | None = Field(
        description="`mid`: a quote that makes the value has no settlement, and the mean of its bid and ask counts; else "
        "`settle`. null: of bids or asks, or no value."
    )


class StripsMeta(BaseModel):
    """Facts about strips."""

    count: int
    curve: CurveMeta
    trade_date: date | None = Field(description="Null while the curve has no quotes.")
    as_of: datetime | None
    side: str
    weighting: str
    block: str
    fx: list[ExchangeDocument] = Field(description=_EXCHANGES)


class StripsDocument(BaseModel):
    """Strips in the order of the requested periods. With `layout=columns`, `data` has one array per field."""

    data: list[StripDocument] | dict[str, list[Any]]
    meta: StripsMeta


class MoveDocument(BaseModel):
    """The move of one delivery period of a curve."""

    curve: str = Field(examples=["power:DE:base:EEX"])
    period: PeriodDocument
    a: float | None = Field(description="Price on the earlier trade date.")
    b: float | None = Field(description="Price on the later trade date.")
    move: float | None = Field(description="`b` - `a`.")
    relative: float | None = Field(description="`move` as a fraction of the size of `a`; null where `a` is zero.")
    status: Literal["both", "listed", "expired", "unpriced"] = Field(
        description="`both`: priced on both trade dates. `listed`: only on the later. `expired`: only on the earlier. "
        "`unpriced`: listed on both, without a price of `field` on one of them."
    )
    a_from: PriceFrom | None = Field(
        description="`mid`: `a` is the mean of bid and ask, because no settlement is stored; else `settle`. null: of a named "
        "`field`, or no price."
    )
    b_from: PriceFrom | None = Field(description="As `a_from`, of `b`.")


class DiffMeta(BaseModel):
    """Facts about moves."""

    count: int
    total: int = Field(description="Number of moves before `limit`.")
    a: date | None = Field(description="The earlier trade date; null: the curves have no such date.")
    b: date | None
    field: str
    as_of: datetime | None
    curves: list[CurveMeta]
    fx: list[ExchangeDocument] = Field(description=_EXCHANGES)
    reason: str | None = Field(description="Why there is no earlier trade date to compare with; null: there is one.")


class DiffDocument(BaseModel):
    """Moves between two trade dates. With `layout=columns`, `data` has one array per field."""

    data: list[MoveDocument] | dict[str, list[Any]]
    meta: DiffMeta


Names = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]
"""A name, or several separated by commas."""


class CurvesQuery(BaseModel):
    """A query for the quotes of many curves; members are the parameters of `GET /v2/curves/{key}/quotes`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "curves": ["power:DE:base:EEX", "power:FR:*"],
                    "trade_date": "2024-10-14",
                    "kind": ["month", "quarter"],
                    "fields": ["settle"],
                }
            ]
        },
    )

    curves: list[Names] = Field(
        min_length=1, max_length=1_000, description="Keys of curves; in a pattern `*` stands for any text.",
        examples=[["power:DE:*"]],
    )  # fmt: skip
    trade_date: Text | None = Field(
        default=None, description="A date, `latest` (default) or `previous`, of all curves together."
    )
    from_: Text | None = Field(default=None, alias="from", description="First trade date, inclusive.")
    to: Text | None = Field(default=None, description="Last trade date, inclusive.")
    as_of: Text | None = Field(default=None, description="Quotes as known at this instant. Default: now.")
    as_loaded: Text | None = Field(default=None, description="The store as it stood at this instant. Default: now.")
    kind: list[Text] = Field(default=[], max_length=20, description="Only periods of these kinds. Default: all.")
    periods: list[PeriodName] = Field(
        default=[],
        max_length=200,
        description="Only these delivery periods: labels, or objects with `start` and `end`. Default: all.",
    )
    fields: list[Text] = Field(default=[], max_length=20, description="Only these fields. Default: all published ones.")
    unit: Text | None = Field(default=None, description="Convert prices to this unit.")
    currency: Text | None = Field(default=None, description=CURRENCY, examples=["USD"])
    format: Literal["json", "ndjson", "csv", "arrow", "parquet"] | None = Field(
        default=None, description="Format of the response. Default: by `Accept`, else `json`."
    )
    layout: Literal["rows", "columns"] = Field(default="rows", description="Layout of a JSON document.")


ShortText = Annotated[str, StringConstraints(max_length=100)]


class QuoteRow(BaseModel):
    """A quote of one delivery period of a product on a trade date. A field that it lacks is empty."""

    model_config = ConfigDict(extra="forbid")

    trade_date: ShortText = Field(description="YYYY-MM-DD.", examples=["2025-01-07"])
    product: ShortText = Field(description="Key of a product of your tenant.", examples=["power:DE:base:DESK"])
    period: Annotated[ShortText, LABEL_OR_SPAN] = Field(
        description="Delivery period: a label such as `Q1-25`, `2025-01-01..2025-04-01`, half-open, or an object with `start` "
        "and `end`.",
        examples=["Q1-25"],
    )
    settle: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    open: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    high: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    low: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    close: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    last: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    bid: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    ask: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    volume_mwh: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    open_interest: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    known_at: ShortText | None = Field(
        default=None,
        description="Time since when the quote has been known, with Z or an offset, not in the future. Default: the moment of "
        "the request.",
        examples=["2025-01-07T17:30:00Z"],
    )


class QuoteRows(BaseModel):
    """Quotes of products of the caller's tenant."""

    model_config = ConfigDict(extra="forbid")

    data: Annotated[list[QuoteRow], FailFast()] = Field(
        max_length=1_000_000, description="Rows after the first that is not of this form are not examined."
    )


class StoredQuotesDocument(BaseModel):
    """The effect of the quotes of a request."""

    new: int = Field(description="Number of quotes that the store did not have.")
    revised: int = Field(description="Number of quotes that changed; the earlier ones stay readable with `as_of`.")
    unchanged: int = Field(description="Number of quotes that the store had as they are.")
    flagged_curves: int = Field(
        description="Number of curves with findings of the checks of quotes against the session before."
    )
    quote_flags: list[QuoteFlagDocument] = Field(description="The first 20 findings. The quotes are stored as they are.")


class StoredQuotesAnswer(BaseModel):
    data: StoredQuotesDocument


WRITTEN = (QuotesDocument, StripsDocument, DiffDocument)
"""Documents of routes that write their own bytes."""
