"""Delivery periods in bodies: a label, or an object with their ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from aurum.core.markettime import InvalidInstant, parse_day, parse_moment

_FORMS = "must be a label such as Q1-25, or an object with start and end, such as the period of an answer"
_NOT_READ = "As answers show it; not read."


def _end_of_period(text: str) -> str:
    try:
        parse_day(text)
    except InvalidInstant:
        try:
            parse_moment(text)
        except InvalidInstant as error:
            raise ValueError(f"must be a date, or the instant at which a delivery day begins: {error.detail}") from error
    return text


PeriodEnd = Annotated[str, StringConstraints(max_length=40), AfterValidator(_end_of_period)]
"""A delivery day, or the instant at which it begins."""


class PeriodSpanBody(BaseModel):
    """A delivery period by its ends. The period of an answer is one: its other members are accepted, and not read."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"start": "2024-12-31T23:00:00Z", "end": "2025-03-31T22:00:00Z"}]}
    )

    start: PeriodEnd = Field(description="First delivery day, or the instant at which it begins.", examples=["2025-01-01"])
    end: PeriodEnd = Field(
        description="Delivery day after the last one, or the instant at which it begins.", examples=["2025-04-01"]
    )
    label: Any = Field(None, description=_NOT_READ, examples=["Q1-25"])
    kind: Any = Field(None, description=_NOT_READ, examples=["quarter"])
    hours: Any = Field(None, description=_NOT_READ, examples=[2159])


def _label_of(value: object) -> object:
    """Return the label of a period, which for an object is ``start..end``."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping) or "start" not in value or "end" not in value:
        raise ValueError(_FORMS)
    span = PeriodSpanBody.model_validate(value)
    return f"{span.start}..{span.end}"


_Label = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
LABEL_OR_SPAN = BeforeValidator(_label_of, json_schema_input_type=_Label | PeriodSpanBody)
PeriodName = Annotated[_Label, LABEL_OR_SPAN]
"""A delivery period: its label, or an object with its ends, which is read as the label ``start..end``."""
