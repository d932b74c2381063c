"""Documents of ``GET /v2/curves/{key}/continuous``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from aurum.api.curves.documents import PeriodDocument
from aurum.api.v2.curves.schemas import CurveMeta
from aurum.core.curves.continuous import Adjust, Missing
from aurum.core.curves.quotes import PriceFrom

Date = date
"""A name for the type of a member that is itself named ``date``."""


class ContinuousPointDocument(BaseModel):
    """The price of a tenor on a trade date."""

    trade_date: date
    period: PeriodDocument = Field(description="The contract that is the front on the trade date.")
    price: float | None = Field(description="Its quote; null: it has none, and `reason` says why.")
    value: float | None = Field(description="The price, adjusted; null, too, before a roll whose gap is unknown.")
    move: float | None = Field(
        description="Move of the held contract since the trade date with a price before: the first price of a new front is "
        "compared with its own price on the last session of the old front."
    )
    reason: Missing | None = Field(
        description="`not_quoted`: the front has no quote. `covered_by_finer`: nor has it, and finer quotes tile it: "
        "`/strips` averages them. `unpriced`: it is listed without a price. `nothing_left`: the last day of the month or "
        "the year whose rest is the front."
    )
    price_from: PriceFrom | None = Field(
        description="`mid`: the mean of bid and ask, because no settlement is stored; else `settle`. null: of a named "
        "`field`, or no price."
    )


class RollDocument(BaseModel):
    """A change of the front."""

    date: Date = Field(description="First trade date with a price of the new front.")
    last: Date = Field(description="Last trade date with a price of the old front: both prices are of this session.")
    old: PeriodDocument
    new: PeriodDocument
    old_price: float
    new_price: float | None = Field(description="Null: the new front has no price on `last`, so the gap is unknown.")
    gap: float | None = Field(description="`new_price` - `old_price`.")
    ratio: float | None = Field(description="`new_price` / `old_price`; null, too, for an old price of zero.")


class ContinuousSummary(BaseModel):
    """Changes from the first to the last price: `naive_change` = `held_change` + `gaps`."""

    points: int = Field(description="Number of trade dates with a price.")
    rolls: int
    naive_change: float | None = Field(description="Last price - first price, of different contracts.")
    held_change: float | None = Field(
        description="Sum of the moves of the held contract: what a position earns per unit that is rolled at the prices of the "
        "last session of each old front."
    )
    gaps: float | None = Field(description="Sum of the gaps.")
    reason: str | None = Field(description="Why a change is null.")


class MissingDaysDocument(BaseModel):
    """Days without a price."""

    count: int
    newest: list[date] = Field(description="The newest of them, 20 at most.")


class ContinuousMeta(BaseModel):
    """Facts about a continuous series."""

    count: int
    curve: CurveMeta
    front: str = Field(examples=["M+1"])
    roll: str = Field(examples=["calendar"])
    adjust: Adjust
    field: str
    as_of: datetime | None
    summary: ContinuousSummary
    rolls: list[RollDocument]
    missing: dict[Missing, MissingDaysDocument] = Field(description="Trade dates of the curve without a price, by reason.")
    missing_sessions: MissingDaysDocument | None = Field(
        description="Sessions of the venue on which the curve has no quote at all; null: its sessions are unknown."
    )


class ContinuousDocument(BaseModel):
    """A continuous series, ascending by trade date. With `layout=columns`, `data` has one array per field."""

    data: list[ContinuousPointDocument] | dict[str, list[Any]]
    meta: ContinuousMeta
