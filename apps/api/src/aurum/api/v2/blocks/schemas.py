"""Documents of ``/v2/blocks``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from aurum.api.contract.text import Text
from aurum.core.calendars import Holidays
from aurum.storage.ports.blocks import StoredBlock

_Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
_Hour = Annotated[int, Field(strict=True, ge=1, le=24)]
_Hours = Annotated[list[_Hour], Field(min_length=2, max_length=2)]
_EXAMPLE: dict[str, JsonValue] = {
    "calendar": "pjm",
    "name": "SUPER_PEAK",
    "title": "Monday to Friday HE 15-18",
    "zone": "America/New_York",
    "holidays": "nerc",
    "windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "hours": [[15, 18]]}],
}


class BlockWindow(BaseModel):
    """A set of kinds of day and hour endings; what is left out means all of them."""

    model_config = ConfigDict(extra="forbid")

    days: list[_Day] | None = Field(default=None, min_length=1, max_length=8)
    hours: list[_Hours] | None = Field(
        default=None, min_length=1, max_length=24, description="Ranges of hour endings, both ends included."
    )


class NewBlock(BaseModel):
    """A block to add."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    calendar: Text = Field(description="Calendar of blocks; one that is new begins with this block.")
    name: Text
    title: Text | None = None
    aliases: list[Text] = Field(default=[], max_length=50, description="Other accepted names.")
    zone: Text = Field(description="IANA name of the clock, that of the other blocks of the calendar.")
    holidays: Holidays = Field(default=Holidays.NONE, description="Rule of holidays, that of the calendar. Default: `none`.")
    complement: bool = Field(default=False, strict=True, description="All hours outside of the windows. Default: false.")
    windows: list[BlockWindow] = Field(min_length=1, max_length=100)


class BlockChanges(BaseModel):
    """New members of a block; those that are left out stay. A block of a product with quotes keeps its hours."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"title": "HE 15-18", "version": 1}]})

    title: Text | None = None
    aliases: list[Text] | None = Field(default=None, max_length=50)
    zone: Text | None = None
    holidays: Holidays | None = None
    complement: bool | None = Field(default=None, strict=True)
    windows: list[BlockWindow] | None = Field(default=None, min_length=1, max_length=100)
    version: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=2**31 - 1,
        description="Version that you have read: another one is a conflict. Default: the current one.",
    )


class StoredBlockDocument(BaseModel):
    """A block with its version. The audit log says who changed it."""

    calendar: str
    name: str
    title: str
    aliases: list[str] = Field(description="Other accepted names.")
    zone: str = Field(description="IANA name of the clock in which days and hours are counted.")
    holidays: str = Field(description="Rule of holidays: `nerc` or `none`.")
    complement: bool = Field(description="True: the block has all hours outside of `windows`; false: those within.")
    windows: list[BlockWindow]
    version: int = Field(description="Rises with each change.")
    is_edited: bool = Field(description="True: an administrator added or changed it, so a release does not replace it.")
    updated_at: datetime | None = Field(description="Time of the last change by an administrator; null: there was none.")

    @classmethod
    def from_domain(cls, stored: StoredBlock) -> StoredBlockDocument:
        """Return the document of a stored block."""
        facts = {name: getattr(stored, name) for name in ("version", "is_edited", "updated_at")}
        return cls.model_validate({**stored.document, **facts})


class StoredBlockList(BaseModel):
    """Blocks, ascending by calendar and name."""

    data: list[StoredBlockDocument]


class StoredBlockAnswer(BaseModel):
    data: StoredBlockDocument
