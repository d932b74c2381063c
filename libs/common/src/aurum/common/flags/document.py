"""The document of a flag: its variants, and the rules that decide which callers get which."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
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


# The grammar of ``core.markettime.instants``, which this package may not import; a test compares the two.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)


def _as_written(value: object) -> object:
    """Raise ``ValueError`` for any other form: Pydantic alone would accept seconds since 1970, as a number or as a text."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _INSTANT.fullmatch(value)):
        raise ValueError("must be a text in the format of RFC 3339, such as 2025-11-02T14:00:00Z or 2025-11-02T14:00:00-05:00")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_as_written)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Part):
    """A test of one attribute of the caller (`tenant`, `subject`, or any other) against a value.

    A caller without the attribute does not match.
    """

    attribute: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    operator: Operator
    value: JsonValue

    @model_validator(mode="after")
    def _value_fits(self) -> Condition:
        if self.operator in _LISTS and not isinstance(self.value, list):
            raise ValueError(f"the operator {self.operator} needs a list as its value")
        if self.operator == "matches":
            try:
                refuse_bad(str(self.value))
            except BadPattern as error:
                raise ValueError(f"the value is not a valid regular expression: {error}") from error
        return self


class Rule(_Part):
    """A rule that gives `variant` to callers that match every condition.

    `percentage`: the share of these callers that get it; it is always the same callers.
    """

    conditions: list[Condition] = Field(default=[], max_length=20)
    variant: VariantName
    percentage: float = Field(default=100.0, strict=True, ge=0, le=100)


class Prerequisite(_Part):
    """A condition on another flag: unless that flag gives `variant`, this flag gives its default variant."""

    flag: Annotated[str, StringConstraints(max_length=100)]
    variant: VariantName


class Schedule(_Part):
    """The time in which the rules apply: from `start`, up to and not including `end`.

    Outside of it the flag gives its default variant.
    """

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
    """A flag. `enabled: false` is the kill switch: all callers get `off_variant`."""

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
            raise ValueError(f"unknown variants {', '.join(unknown)}: the flag has {', '.join(sorted(self.variants))}")
        kinds = {_kind(value) for value in self.variants.values()}
        if len(kinds) > 1:
            raise ValueError(f"all variants must have the same type, not {', '.join(sorted(kinds))}")
        return self


def parse_documents(documents: Mapping[str, object]) -> dict[str, FlagDocument]:
    """Return stored documents by name, without those that this version cannot read.

    Code that evaluates an unreadable flag uses its own default.
    """
    flags: dict[str, FlagDocument] = {}
    for name, document in documents.items():
        try:
            flags[name] = FlagDocument.model_validate(document)
        except ValidationError as error:
            _log.error("flag document not readable", flag=name, reason=str(error.errors()[0]["msg"]))
    return flags


def _kind(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "object"
