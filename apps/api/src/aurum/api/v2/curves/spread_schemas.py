"""Documents of ``/v2/curves/spread`` and ``/v2/curves/spread-templates``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from aurum.api.contract.text import Day, Moment, Text
from aurum.api.curves.documents import PeriodDocument
from aurum.api.curves.params import TradeDay
from aurum.api.curves.periods import PeriodName
from aurum.api.pictures.form import PictureBody
from aurum.api.v2.curves.schemas import CurveMeta
from aurum.core.curves.spread_factors import HeatingValue, SpreadParameters
from aurum.core.curves.spread_templates import LegUse
from aurum.core.curves.spreads import Alignment, SpreadSide
from aurum.services.curves.spread_question import (
    MOST_LEGS,
    MOST_PERIODS,
    FxKind,
    FxQuestion,
    LegQuestion,
    SpreadQuestion,
)

LegName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""The name of a leg, which begins the names of its columns."""


class SpreadFxBody(BaseModel):
    """An exchange rate."""

    model_config = ConfigDict(extra="forbid")

    kind: FxKind = Field(
        FxKind.TRADE_DATE,
        description="`trade_date`: the ECB's reference rate of the trade date as known at `as_of`, an approximation; on a "
        "weekend or a holiday of TARGET that of the last day before. If another trade date lacks its rate, the whole request "
        "is refused. `curve`: a forward curve, by delivery period. `rate`: a number in the request.",
    )
    curve: Text | None = Field(
        None,
        description="Key of a curve whose unit is an exchange rate, such as USD/EUR. Its settlements convert every `side`, "
        "also bids and asks; where a quote has none, the mean of its bid and ask.",
        examples=["fx:EURUSD:base:DESK"],
    )
    rate: float | None = Field(
        None, strict=True, allow_inf_nan=False, gt=0, description="Price of the first currency of `pair` in the second.",
        examples=[1.1],
    )  # fmt: skip
    pair: Text | None = Field(None, description="Two ISO 4217 codes.", examples=["EURUSD"])

    def question(self) -> FxQuestion:
        """Return the rate that the body states."""
        return FxQuestion(self.kind, self.curve, self.rate, self.pair)


class SpreadLegBody(BaseModel):
    """A leg: a `curve`, or a `value` with its `unit`."""

    model_config = ConfigDict(extra="forbid")

    curve: Text | None = Field(None, description="Key of a curve.", examples=["power:DE:base:EEX"])
    period: PeriodName | None = Field(
        None, description="Its own delivery period. Default: each of `periods`.", examples=["Q1-25"]
    )
    value: float | None = Field(
        None, strict=True, allow_inf_nan=False, description="A price in the place of a curve, on every side.", examples=[40.0]
    )
    unit: Text | None = Field(None, description="Unit of `value`.", examples=["EUR/MWh"])
    weight: float | None = Field(
        None,
        strict=True,
        allow_inf_nan=False,
        description="Size of the leg; in a `custom` spread with its sign. Default: that of the template, else 1.",
        examples=[1.0],
    )
    fx: SpreadFxBody | None = Field(None, description="Exchange rate of this leg. Default: `fx` of the request.")

    def question(self) -> LegQuestion:
        """Return the leg that the body states."""
        fx = None if self.fx is None else self.fx.question()
        return LegQuestion(self.curve, self.period, self.value, self.unit, self.weight, fx)


class SpreadParametersBody(BaseModel):
    """Numbers of a plant and its fuel. Heating values are converted only where two that differ are stated."""

    model_config = ConfigDict(extra="forbid")

    efficiency: float | None = Field(
        None, strict=True, allow_inf_nan=False, description="Power per fuel, a fraction. Or `heat_rate`.", examples=[0.5]
    )
    heat_rate: float | None = Field(
        None, strict=True, allow_inf_nan=False, description="Fuel per power, in `heat_rate_unit`.", examples=[7.0]
    )
    heat_rate_unit: Text | None = Field(None, examples=["MMBtu/MWh"])
    heating_value: HeatingValue | None = Field(None, description="By which efficiency or heat rate counts fuel.")
    fuel_heating_value: HeatingValue | None = Field(
        None, description="By which the fuel is priced, or its energy content stated. Default: `heating_value`."
    )
    emission_heating_value: HeatingValue | None = Field(
        None, description="By which the emission intensity counts fuel. Default: `heating_value`."
    )
    lhv_to_hhv: float | None = Field(
        None,
        strict=True,
        allow_inf_nan=False,
        description="Lower heating value of the fuel as a fraction of the higher one; about 0.9 for natural gas.",
        examples=[0.9024],
    )
    emission_intensity: float | None = Field(
        None, strict=True, allow_inf_nan=False, description="Tonnes of CO2 per MWh of fuel.", examples=[0.202]
    )
    energy_content: float | None = Field(
        None,
        strict=True,
        allow_inf_nan=False,
        description="Energy per mass of a fuel priced by mass. Default: that of the template.",
        examples=[6.978],
    )
    energy_content_unit: Text | None = Field(None, examples=["MWh/t"])

    def question(self) -> SpreadParameters:
        """Return the parameters that the body states."""
        return SpreadParameters(**self.model_dump())


class SpreadBody(PictureBody):
    """A spread: a template, and a curve or a price for each of its legs."""

    model_config = ConfigDict(extra="forbid")

    template: Text = Field(description="Name of a template; see `/v2/curves/spread-templates`.", examples=["clean_spark"])
    legs: dict[LegName, SpreadLegBody] = Field(
        min_length=1, max_length=MOST_LEGS, description="By name: those of the template; any in a `custom` spread."
    )
    periods: list[PeriodName] = Field(
        [],
        max_length=MOST_PERIODS,
        description="Delivery periods: labels, or objects with `start` and `end`; read by the calendar of the leg that gives "
        "the answer its unit. None where every leg has its own.",
    )
    trade_date: TradeDay | None = Field(
        None,
        description="Session of the quotes: a date; `latest`, the newest on which every leg has quotes; or `previous`, the one "
        "before. Default: `latest`.",
    )
    from_: Day | None = Field(None, alias="from", description="First trade date, inclusive, in the place of `trade_date`.")
    to: Day | None = Field(None, description="Last trade date, inclusive.")
    as_of: Moment | None = Field(None, description="Quotes and exchange rates as known at this instant. Default: now.")
    as_loaded: Moment | None = Field(
        None, description="The store with the files committed up to this instant. Default: the store as it is now."
    )
    parameters: SpreadParametersBody | None = Field(None, description="Numbers of the plant and its fuel.")
    alignment: Alignment = Field(
        Alignment.FLAT_DECEMBER,
        description="How a leg of allowances gets its price. `flat_december`: from the December contract of each delivery "
        "year. `interpolate`: between December contracts; where the one before has expired, the first that is listed. "
        "`period`: as any other leg.",
    )
    side: SpreadSide = Field(
        SpreadSide.SETTLE,
        description="`settle`: settlements, and without one the mean of bid and ask. `bid`: bids of what is bought, asks of "
        "what is sold; `ask`: the other way; `mid`: the mean of both.",
    )
    unit: Text | None = Field(None, description="Unit of the answer. Default: by the template.", examples=["EUR/MWh"])
    currency: Text | None = Field(None, description="Currency of the answer. Default: that of the unit.", examples=["EUR"])
    fx: SpreadFxBody | None = Field(
        None, description="Exchange rate of prices in another currency. Default: of the trade date."
    )

    def question(self, now: datetime) -> SpreadQuestion:
        """Return the question that the body states."""
        return SpreadQuestion(
            now=now,
            template=self.template,
            legs={name: leg.question() for name, leg in self.legs.items()},
            periods=tuple(self.periods),
            trade_date=self.trade_date,
            first=self.from_,
            last=self.to,
            as_of=self.as_of,
            as_loaded=self.as_loaded,
            parameters=SpreadParameters() if self.parameters is None else self.parameters.question(),
            alignment=self.alignment,
            side=self.side,
            unit=self.unit,
            currency=self.currency,
            fx=FxQuestion() if self.fx is None else self.fx.question(),
        )


class DecemberContractDocument(BaseModel):
    """A December contract in the price of a leg."""

    contract: str = Field(examples=["Dec-25"])
    weight: float
    price: float | None
    in_place_of: str | None = Field(description="The contract before it, which has expired. null: it has its own weight.")


class SpreadExchangeDocument(BaseModel):
    """The exchange of a price."""

    kind: FxKind
    pair: str = Field(examples=["EURUSD"])
    rate: float | None = Field(description="Price of the first currency of the pair in the second.")
    day: date | None = Field(alias="date", description="Day of the rate; null for a rate of the request.")


class SpreadLegDocument(BaseModel):
    """A leg: contribution = weight × factor × converted, and converted = price × factors.unit, exchanged."""

    name: str
    curve: str | None = Field(description="null: the price is of the request.")
    period: str | None = Field(description="Its own delivery period; null: that of the row.")
    price: float | None = Field(description="In `unit`, as quoted, averaged from finer quotes, or of the request.")
    price_from: str | None = Field(
        description="`settle`; or `mid`, where a quote that makes the price has no settlement, and the mean of its bid and ask "
        "counts. null: on other sides than `settle`, or of the request."
    )
    unit: str
    method: str | None = Field(
        description="`quoted`, `from_finer`, `from_build`, `flat_december`, `interpolate`, or `inline`: of the request."
    )
    contracts: list[DecemberContractDocument] | None = Field(description="Of allowances that are aligned.")
    fx: SpreadExchangeDocument | None = Field(description="null: the price has the currency of the answer.")
    converted: float | None = Field(description="Price in `converted_unit`; of fuel, per unit of its energy.")
    converted_unit: str
    factors: dict[str, float] = Field(
        description="`unit`: from price to converted price, without exchange. `heat_rate`: fuel per power, MWh/MWh. "
        "`heating_value`, `emission_intensity`, `energy_unit`: where they apply."
    )
    factor: float = Field(description="Product of the factors but `unit`.")
    weight: float = Field(description="Signed; per unit of the leg that the template counts by.")
    contribution: float | None
    reason: str | None = Field(description="Why there is no price.")


class SpreadRowDocument(BaseModel):
    """A spread of one delivery period on one trade date."""

    trade_date: date | None = Field(description="null: no leg has a curve.")
    period: PeriodDocument | None
    value: float | None = Field(description="null where a leg has no price.")
    unit: str
    currency: str | None
    implied_heat_rate: float | None = Field(description="Price of power over that of fuel, in `meta.implied_heat_rate_unit`.")
    legs: list[SpreadLegDocument]
    reason: str | None = Field(description="Why there is no value, by leg.")


class SpreadMeta(BaseModel):
    """Facts about a spread."""

    model_config = ConfigDict(populate_by_name=True)

    count: int
    template: str
    formula: str = Field(description="In words.")
    unit: str
    currency: str | None
    side: SpreadSide
    alignment: Alignment | None = Field(description="null: no leg is aligned.")
    trade_date: date | None
    from_: date | None = Field(alias="from")
    to: date | None
    as_of: datetime | None
    parameters: dict[str, Any] = Field(description="In force, with what they imply.")
    implied_heat_rate_unit: str | None
    fx: list[dict[str, Any]] = Field(description="Exchange of each leg in another currency; `approximation`: at a spot rate.")
    notes: list[str] = Field(description="Approximations and conventions.")
    curves: list[CurveMeta]


class SpreadDocument(BaseModel):
    """A spread by trade date, then period. With `layout=columns`, `data` has one array per field."""

    data: list[SpreadRowDocument] | dict[str, list[Any]]
    meta: SpreadMeta


class SpreadTemplateLegDocument(BaseModel):
    """A leg of a template."""

    name: str
    title: str
    sign: Literal[1, -1] = Field(description="1: bought; -1: sold.")
    use: LegUse
    weight: float
    like: str | None = Field(description="Leg whose curve it takes unless the request names one.")


class SpreadTemplateDocument(BaseModel):
    """A template of spreads."""

    name: str = Field(examples=["clean_spark"])
    title: str
    formula: str
    unit_of: str | None = Field(description="Leg in whose unit the answer is; null: the first of the request.")
    dimension: str | None = Field(description="Dimension of that unit; null: any.")
    per: str | None = Field(description="Weights are amounts for one unit of this leg; null: amounts as they are.")
    legs: list[SpreadTemplateLegDocument] = Field(description="Empty: those of the request.")
    parameters: list[str] = Field(description="Parameters that apply.")
    required: list[str] = Field(description="Parameters that are needed; `heat_rate` may stand for `efficiency`.")
    defaults: dict[str, float | str | None] = Field(description="Defaults of parameters, with their source.")


class SpreadTemplatesAnswer(BaseModel):
    data: list[SpreadTemplateDocument]
