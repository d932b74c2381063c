"""Documents of feature flags and their evaluation."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from aurum.common.flags import FlagDocument, FlagReason


class FlagAnswerDocument(BaseModel):
    """A flag with its version."""

    name: str
    version: int = Field(description="Rises with every change.")
    updated_at: datetime
    updated_by: str = Field(description="Actor of the last change.")
    flag: FlagDocument


class FlagList(BaseModel):
    data: list[FlagAnswerDocument]


class FlagAnswer(BaseModel):
    data: FlagAnswerDocument


class EvaluationRequest(BaseModel):
    """The caller to evaluate a flag for."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"key": "acme", "attributes": {"tenant": "acme"}}]}
    )

    key: str = Field(
        max_length=200, description="Key that percentages are applied by. The service itself uses the id of the tenant."
    )
    attributes: dict[str, JsonValue] = Field(
        default={}, max_length=50, description="Attributes that conditions compare, by name. Default: none."
    )


class EvaluationDocument(BaseModel):
    """The variant of a flag, and the reason for it."""

    variant: str
    value: JsonValue
    reason: FlagReason
    rule: int | None = Field(description="Position of the rule that applied, from 0; null when none did.")


class EvaluationAnswer(BaseModel):
    data: EvaluationDocument


class UseDocument(BaseModel):
    """The evaluations of one variant on one day."""

    day: date = Field(description="Day in UTC.")
    variant: str
    evaluations: int = Field(description="Number of evaluations with this variant.")


class UseList(BaseModel):
    data: list[UseDocument]
