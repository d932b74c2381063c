"""Documents of ``/v2/curves/explain``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aurum.api.contract.text import Moment, Text
from aurum.api.curves.documents import PeriodDocument
from aurum.api.curves.params import TradeDay
from aurum.api.curves.periods import PeriodName
from aurum.api.pictures.form import PictureBody
from aurum.api.v2.curves.schemas import CurveMeta, ExchangeDocument
from aurum.core.curves.quotes import PRICE
from aurum.core.curves.strips import StripMethod
from aurum.services.curves.explain_positions import MOST_VOLUME, Position, PositionsQuestion

MOST_POSITIONS = 1_000
Volume = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-MOST_VOLUME, le=MOST_VOLUME)]
"""The volume of a position, long or short."""

_MIDS = "Periods quoted on `a` or `b` whose price is the mean of bid and ask, because no settlement is stored."


class PriceDocument(BaseModel):
    """A price that is compared."""

    price: float | None = Field(description="Null: the period has no price on the trade date.")
    method: StripMethod | None = Field(
        description="`quoted`: the venue quotes the period. `from_finer`: it does not, and the finer quotes that tile it are "
        "averaged."
    )


class ContractPriceDocument(PriceDocument):
    """A price that is compared, of the contract that the tenor means on the trade date."""

    period: PeriodDocument


class ComponentsDocument(BaseModel):
    """The components of a change. They sum to `total` exactly, as decimals."""

    quote_move: float | None = Field(description="Moves of the contract that was held.")
    roll_down: float | None = Field(
        description="Gaps at the rolls into new contracts, each on the last session of the old one."
    )
    correction: float | None = Field(description="Change of the price of `a` that became known later.")
    methodology: float | None = Field(
        description="Change of the price because it is made by another method from the same quotes."
    )
    total: float | None = Field(description="The price of `b` - the price of `a`, as each was known.")


class TenorChangeDocument(ComponentsDocument):
    """The change of a tenor."""

    bucket: str = Field(examples=["M+1"])
    from_: ContractPriceDocument = Field(alias="from")
    to: ContractPriceDocument
    rolls: int = Field(description="Number of rolls between the trade dates.")
    reason: str | None = Field(description="Why there are no components.")
    curve: str = Field(description="Key of the curve.", examples=["power:DE:base:EEX"])


class CurveKnownDocument(CurveMeta):
    """A curve, and when the prices of `a` are known."""

    as_of_a: datetime | None = Field(description="The prices of `a` are those known at this instant.")
    mids: list[str] = Field(description=_MIDS)


class ExplainMeta(BaseModel):
    """Facts about an explanation."""

    count: int
    curve: CurveMeta | None = Field(description="The curve, where there is one; of several null.")
    curves: list[CurveKnownDocument]
    a: date | None = Field(description="The earlier trade date, of all curves together; null: they have no such date.")
    b: date | None
    as_of_a: datetime | None = Field(
        description="The prices of `a` are those known at this instant; null: now, or of several curves: see `curves`."
    )
    as_of_b: datetime | None = Field(description="All other prices are those known at this instant; null: now.")
    roll: str
    field: str
    mids: list[str] | None = Field(description=f"{_MIDS} Of several curves null: see `curves`.")
    reason: str | None = Field(description="Why there is no earlier trade date to compare with; null: there is one.")


class ExplainDocument(BaseModel):
    """Changes by tenor. With `layout=columns`, `data` has one array per field."""

    data: list[TenorChangeDocument] | dict[str, list[Any]]
    meta: ExplainMeta


class PositionBody(BaseModel):
    """A position in a delivery period of a curve; a volume below zero is short. Send exactly one of `mw`, `mwh`, `volume`."""

    model_config = ConfigDict(extra="forbid")

    curve: Text = Field(description="Key of the curve.", examples=["power:DE:base:EEX"])
    period: PeriodName = Field(
        description="Delivery period: `Q1-25`, `Jan-25`, `2025` ..., or an object with `start` and `end`.", examples=["Q1-25"]
    )
    mw: Volume | None = Field(None, description="Power in each hour of the block in the period.", examples=[10])
    mwh: Volume | None = Field(None, description="Energy.")
    volume: Volume | None = Field(None, description="Volume in the measure of the price, such as bbl, t or MMBtu.")

    @model_validator(mode="after")
    def _exactly_one(self) -> PositionBody:
        if sum(value is not None for value in (self.mw, self.mwh, self.volume)) != 1:
            raise ValueError("send exactly one of mw, mwh and volume")
        return self


class ExplainBody(PictureBody):
    """Positions whose profit and loss between two trade dates is explained."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "positions": [
                        {"curve": "power:DE:base:EEX", "period": "Q1-25", "mw": 10},
                        {"curve": "power:DE:base:EEX", "period": "Nov-24", "mw": -5},
                    ],
                    "a": "2024-10-11",
                    "b": "2024-10-14",
                }
            ]
        },
    )

    positions: Annotated[list[PositionBody], Field(min_length=1, max_length=MOST_POSITIONS)]
    a: TradeDay = Field("previous", description="Earlier trade date, of all curves together.")
    b: TradeDay = Field("latest", description="Later trade date, of all curves together.")
    as_of_a: Moment | None = Field(
        None,
        description="Prices of `a` as known at this instant. Default: of each curve, just before the first quotes of its next "
        "trade date became known.",
    )
    as_of_b: Moment | None = Field(None, description="All other prices as known at this instant. Default: now.")
    as_loaded: Moment | None = Field(
        None, description="The store with the files committed up to this instant. Default: the store as it is now."
    )
    roll: Text = Field("calendar", description="Rule of rolls by which `bucket` counts.", examples=["calendar"])
    field: Text = Field(
        PRICE,
        description="Price: `settle`, `bid`, `ask`, `mid` ... Default: `price`, the settlement, and where a quote has none the "
        "mean of bid and ask.",
        examples=["settle"],
    )
    currency: Text | None = Field(
        None,
        description="Convert all amounts to this currency (ISO 4217 code), at the ECB's reference rate of `b`, an "
        "approximation; without that rate the request is refused. Default: each in the currency of its curve, and totals by "
        "currency.",
        examples=["EUR"],
    )

    def question(self, now: datetime) -> PositionsQuestion:
        """Return the question that the body states."""
        positions = [Position(one.curve, one.period, one.mw, one.mwh, one.volume) for one in self.positions]
        return PositionsQuestion(
            now,
            positions,
            self.a,
            self.b,
            self.as_of_a,
            self.as_of_b,
            self.as_loaded,
            self.roll,
            self.field,
            self.currency,
        )


class PositionChangeDocument(ComponentsDocument):
    """The profit and loss of a position, in `currency`."""

    curve: str
    period: PeriodDocument
    bucket: str = Field(
        description="Tenor of the period on `a`; `M+0` for one that is no longer ahead, or the kind of a period that no tenor "
        "counts.",
        examples=["Q+1"],
    )
    volume: float = Field(description="In `measure`: megawatts times the hours of the block in the period.", examples=[21590])
    measure: str = Field(examples=["MWh"])
    from_: PriceDocument = Field(alias="from")
    to: PriceDocument
    unit: str = Field(description="Unit of the two prices, that of the curve.", examples=["EUR/MWh"])
    currency: str = Field(examples=["EUR"])
    reason: str | None = Field(description="Why there is no amount.")


class TotalDocument(ComponentsDocument):
    """The sum of the amounts of one currency; null while a position lacks its amount: it is never the sum of the others."""

    currency: str
    positions: int
    valued: int = Field(description="Number of positions with an amount.")
    is_complete: bool = Field(description="Whether all positions have an amount.")


class BucketTotalDocument(TotalDocument):
    """The sum of the amounts of one tenor and one currency."""

    bucket: str


class PositionsMeta(BaseModel):
    """Facts about the profit and loss of positions."""

    count: int
    a: date | None = Field(description="The earlier trade date; null: the curves have no such date.")
    b: date | None
    as_of_b: datetime | None
    field: str
    exchange: str | None = Field(description="How amounts were converted to the requested currency; null: they were not.")
    fx: list[ExchangeDocument] = Field(description="Exchange rates by which amounts were converted.")
    curves: list[CurveKnownDocument]
    totals: list[TotalDocument]
    buckets: list[BucketTotalDocument]


class PositionsDocument(BaseModel):
    """Profit and loss in the order of the positions. With `layout=columns`, `data` has one array per field."""

    data: list[PositionChangeDocument] | dict[str, list[Any]]
    meta: PositionsMeta


WRITTEN = (ExplainDocument, PositionsDocument)
"""Documents of routes that write their own bytes."""
