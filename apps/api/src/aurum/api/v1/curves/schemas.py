"""Documents of ``/v1/curves``."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field


class CurvePoint(BaseModel):
    """The price of one tenor of a curve on one trade date."""

    curve_key: str
    tenor_label: str
    tenor_type: str = Field(description="`MONTHLY`, `CALENDAR` (a year), `SEASON`, `QUARTER`; else the kind of the period.")
    contract_month: date = Field(description="First day of the delivery.")
    asof_date: date = Field(description="Trade date.")
    mid: float | None = Field(description="Settlement price, else the mean of bid and ask; `price_type` says which.")
    bid: float | None
    ask: float | None
    price_type: str = Field(
        description="`SETTLE`, `MID`, `STRIP` for one that is made of shorter tenors, or `BUILD` for one of a built curve."
    )


class CurveDiffPoint(BaseModel):
    """The prices of one tenor of a curve on two trade dates."""

    curve_key: str
    tenor_label: str
    tenor_type: str
    contract_month: date
    asof_a: date
    mid_a: float | None
    asof_b: date
    mid_b: float | None
    diff_abs: float | None = Field(description="`mid_b` - `mid_a`.")
    diff_pct: float | None = Field(description="The difference as a fraction of `mid_a`; null where that is 0.")


POINT_COLUMNS = tuple(CurvePoint.model_fields)
DIFF_COLUMNS = tuple(CurveDiffPoint.model_fields)
