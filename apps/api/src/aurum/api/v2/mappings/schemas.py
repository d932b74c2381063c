"""Documents of ``/v2/mappings``."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from aurum.api.contract.text import Text
from aurum.core.catalog.mapping_kinds import ANY_SCOPE, MappingKind

_SCOPE = (
    "Where the spelling occurs: a scheme of labels (`europe`, `us`) for `product`, `area`, `location` and `block`; a broker "
    "(`EUGP`, `RP`, `PW`) for `quoted_unit`; a source (`nyiso`, `ercot`) for `fuel` and `place`; `*` for `period` and `unit`."
)
_TARGET = (
    "Canonical word of the label, area of a location, word of a period (`Cal`, `Summer`), a unit, or a fuel (`gas`, "
    "`wind/wind_offshore`): it must be known already. Of `place`: its name, any text."
)
VERSION = Field(
    default=None,
    strict=True,
    ge=1,
    le=2**31 - 1,
    description="Version that you have read: another one is a conflict. Default: the current one.",
)


class NewMapping(BaseModel):
    """A spelling to map."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "area", "scope": "europe", "spelling": "Grossbritannien", "target": "GB"}]},
    )

    kind: MappingKind
    scope: Text = Field(default=ANY_SCOPE, description=_SCOPE)
    spelling: Text = Field(description="Text as files have it. Of `quoted_unit`: `commodity:area` of the curves of the broker.")
    target: Text = Field(description=_TARGET)


class MappingChanges(BaseModel):
    """A new target of a mapping."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"target": "FR", "version": 1}]})

    target: Text = Field(description=_TARGET)
    version: int | None = VERSION


class MappingDocument(BaseModel):
    """A stored mapping. It holds for all tenants. The audit log says who changed it."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(validation_alias="mapping_id")
    kind: MappingKind
    scope: str = Field(description=_SCOPE)
    spelling: str
    target: str
    version: int = Field(description="Rises with each change.")
    updated_at: datetime


class MappingList(BaseModel):
    """Mappings, ascending by kind, scope and spelling."""

    data: list[MappingDocument]


class MappingAnswer(BaseModel):
    data: MappingDocument


class UnknownLabelDocument(BaseModel):
    """A label that files have and no mapping knows. Its cells are in quarantine."""

    model_config = ConfigDict(from_attributes=True)

    kind: MappingKind = Field(description="Kind of the mapping that would make it known.")
    scope: str = Field(description=_SCOPE)
    label: str
    where: str = Field(description="Other labels of its columns, where the label is a location; else empty.")
    source: str
    dataset: str
    columns: int = Field(description="Number of columns, tenors or rows that are held back for it.")
    files: int = Field(description="Number of files with it, by content.")
    first_seen: datetime
    last_seen: datetime
    file: str = Field(validation_alias="file_name", description="Name of the file that was loaded last.")
    digest: str = Field(description="SHA-256 of that file: load it again with `POST /v2/admin/quarantine/{digest}/replay`.")


class UnknownLabelList(BaseModel):
    """Unknown labels, those with the most columns first."""

    data: list[UnknownLabelDocument]


class SpelledUnit(BaseModel):
    """A unit of values with its spellings."""

    unit: str = Field(description="Canonical spelling.")
    dimension: str = Field(description="Physical dimension; values convert between units of one dimension.")
    currency: str | None = Field(description="ISO 4217 code; null when the unit has no currency.")
    aliases: list[str] = Field(description="Other accepted spellings, those that administrators mapped last.")


class SpelledUnitList(BaseModel):
    data: list[SpelledUnit]
