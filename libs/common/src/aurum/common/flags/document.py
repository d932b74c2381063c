"""What a flag is: its variants, and who gets which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import structlog
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.config import JsonDict

from aurum.common.flags.patterns import BadPattern, refuse_bad
from aurum.common.json_values import refuse_unstorable

Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "not_in", "contains", "starts", "ends", "matches"]
FlagName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")]
VariantName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
_log = structlog.get_logger(__name__)
_LISTS = ("in", "not_in")


def _written(value: object) -> object:
    """Pydantic alone would also take a number, as seconds since 1970."""
    if isinstance(value, int | float):
        raise ValueError("must be written as RFC 3339 has it")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_written)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Part):
    """One attribute of whoever asks (``tenant``, ``subject``, or any other) against a value. A missing one never fits."""

    attribute: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    operator: Operator
    value: JsonValue

    @model_validator(mode="after")
    def _value_fits(self) -> Condition:
        if self.operator in _LISTS and not isinstance(self.value, list):
            raise ValueError(f"{self.operator} needs a list")
        if self.operator == "matches":
            try:
                refuse_bad(str(self.value))
            except BadPattern as error:
                raise ValueError(f"is no regular expression: {error}") from error
        return self


class Rule(_Part):
    """Whoever fits every condition gets ``variant``; with ``percentage`` only so many of them do, always the same."""

    conditions: list[Condition] = Field(default=[], max_length=20)
    variant: VariantName
    percentage: float = Field(default=100.0, strict=True, ge=0, le=100)


class Prerequisite(_Part):
    """Another flag that must have given this variant; else the default is given."""

    flag: Annotated[str, StringConstraints(max_length=100)]
    variant: VariantName


class Schedule(_Part):
    """When rules hold, half-open; outside of it the default is given."""

    start: Instant | None = None
    end: Instant | None = None


_EXAMPLE: JsonDict = {
    "description": "Curves built anew",
    "rules": [
        {"conditions": [{"attribute": "tenant", "operator": "in", "value": ["acme"]}], "variant": "on"},
        {"variant": "on", "percentage": 10},
    ],
}


class FlagDocument(_Part):
    """A flag. ``enabled`` false is the kill switch: everybody gets ``off_variant``."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    description: str = Field(default="", max_length=1000)
    enabled: StrictBool = True
    variants: dict[VariantName, JsonValue] = Field(default={"on": True, "off": False}, min_length=1, max_length=20)
    default_variant: VariantName = "off"
    off_variant: VariantName = "off"
    rules: list[Rule] = Field(default=[], max_length=50)
    prerequisites: list[Prerequisite] = Field(default=[], max_length=10)
    schedule: Schedule = Schedule()

    @model_validator(mode="after")
    def _variants_exist(self) -> FlagDocument:
        used = {self.default_variant, self.off_variant, *(rule.variant for rule in self.rules)}
        refuse_unstorable(self.model_dump())
        if unknown := sorted(used - self.variants.keys()):
            raise ValueError(f"there is no variant {', '.join(unknown)}")
        kinds = {_kind(value) for value in self.variants.values()}
        if len(kinds) > 1:
            raise ValueError(f"variants must be of one kind, not {', '.join(sorted(kinds))}")
        return self


def readable(documents: Mapping[str, object]) -> dict[str, FlagDocument]:
    """Stored documents by name; one that this version cannot read is left out, and its callers get their defaults."""
    found: dict[str, FlagDocument] = {}
    for name, document in documents.items():
        try:
            found[name] = FlagDocument.model_validate(document)
        except ValidationError as error:
            _log.error("flag cannot be read", flag=name, reason=str(error.errors()[0]["msg"]))
    return found


def _kind(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "object"
