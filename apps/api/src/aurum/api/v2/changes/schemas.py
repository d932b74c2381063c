"""Documents of the list of changes and of changed observations."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from aurum.api.contract.changes import ChangeDocument
from aurum.api.contract.schemas import PageMeta


class ChangesMeta(BaseModel):
    """The page of the list of changes."""

    count: int = Field(description="Number of entries in this page.")
    limit: int = Field(description="Largest number of entries in a page.")
    next: str = Field(
        description="Value of `after` for the next page. All entries up to it were considered, so a page may be empty "
        "although others follow."
    )
    last: str = Field(description="The last position that was given out: the list is read to its end when `next` equals it.")


class ChangePageDocument(BaseModel):
    """Entries in the order of commits."""

    data: list[ChangeDocument]
    meta: ChangesMeta


class ChangedPointDocument(BaseModel):
    """An observation that an entry added or revised."""

    series: str = Field(description="Key of the series.")
    start: datetime = Field(description="Start of the interval.")
    value: float | None = Field(description="The new value; null: withdrawn.")
    quality: str
    known_at: datetime
    old: OldPointDocument | None = Field(description="The observation in force just before; null: there was none.")


class OldPointDocument(BaseModel):
    """The observation that was in force before."""

    value: float | None
    quality: str
    known_at: datetime


class ChangedPointPage(BaseModel):
    """Observations that an entry added or revised, ascending by series and interval."""

    data: list[ChangedPointDocument]
    meta: PageMeta
