"""Shapes of feature flags and their evaluation."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from aurum.common.flags import FlagDocument, FlagReason


class FlagAnswerDocument(BaseModel):
    """A flag as it stands."""

    name: str
    version: int = Field(description="Rises with every change.")
    updated_at: datetime
    updated_by: str
    flag: FlagDocument


class FlagList(BaseModel):
    data: list[FlagAnswerDocument]


class FlagAnswer(BaseModel):
    data: FlagAnswerDocument


class Asking(BaseModel):
    """Who would ask."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"key": "acme", "attributes": {"tenant": "acme"}}]}
    )

    key: str = Field(max_length=200, description="What percentages go by; the tenant, when the service asks.")
    attributes: dict[str, JsonValue] = Field(default={}, max_length=50)


class EvaluationDocument(BaseModel):
    """What would be given, and why."""

    variant: str
    value: JsonValue
    reason: FlagReason
    rule: int | None = Field(description="Place of the rule that gave it, from 0.")


class EvaluationAnswer(BaseModel):
    data: EvaluationDocument


class UseDocument(BaseModel):
    """How often a variant was given on a day (UTC)."""

    day: date
    variant: str
    evaluations: int


class UseList(BaseModel):
    data: list[UseDocument]
