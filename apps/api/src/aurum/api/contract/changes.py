"""The document of an entry of the list of changes: in the list and as an event."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from aurum.core.catalog.entries import KnownAtBasis
from aurum.services.changes import position_text
from aurum.storage.ports.recordings import MOST_MATCHED_KEYS, ChangeEntry, RecordingAction


class ChangedFile(BaseModel):
    """The file that was loaded."""

    file_id: int
    name: str
    digest: str = Field(description="SHA-256 of the content, hexadecimal.")


class MatchedSeries(BaseModel):
    """The series of an entry that the parameter `series` matches."""

    count: int = Field(description="Number of matching series.")
    keys: list[str] = Field(description=f"The first {MOST_MATCHED_KEYS} of their keys, ascending.")


class ChangeDocument(BaseModel):
    """The effect of one file, or of one restatement, on one dataset."""

    position: str = Field(description="Place in the order of commits; a value of `after`.", examples=["4711-1c9a03fe"])
    recorded_at: datetime = Field(description="Time of the commit.")
    action: RecordingAction = Field(
        description="`load`: a file was loaded. `restatement`: known times of stored observations were set anew."
    )
    source: str
    dataset: str
    file: ChangedFile | None = Field(description="Null for a restatement.")
    known_at: datetime | None = Field(
        description="Time at which the observations became known; null where each has one of its own."
    )
    known_at_basis: KnownAtBasis = Field(description="Origin of `known_at`.")
    series: int = Field(description="Number of series that the file names, also of those that it only repeats.")
    new: int = Field(description="Number of observations that the store did not have.")
    revised: int = Field(description="Number of observations with another value than before.")
    first: datetime | None = Field(description="Start of the first interval; null without observations.")
    last: datetime | None = Field(description="Start of the last interval; null without observations.")
    matched: MatchedSeries | None = Field(description="Null in requests without `series`.")


def change_document(entry: ChangeEntry) -> ChangeDocument:
    """Return the document of an entry."""
    change, matched = entry.change, entry.matched
    file = None
    if entry.file_id is not None:
        file = ChangedFile(file_id=entry.file_id, name=entry.file_name or "", digest=entry.digest or "")
    return ChangeDocument(
        position=position_text(entry.position),
        recorded_at=entry.position.recorded_at,
        action=entry.action,
        source=change.source,
        dataset=change.dataset,
        file=file,
        known_at=change.known_at,
        known_at_basis=change.basis,
        series=change.series,
        new=change.new,
        revised=change.revised,
        first=change.first_ts,
        last=change.last_ts,
        matched=MatchedSeries(count=matched.count, keys=list(matched.keys)) if matched is not None else None,
    )
