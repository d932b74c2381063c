"""Documents about where a number came from."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from aurum.api.curves.documents import PeriodDocument
from aurum.core.lineage import PlaceState, Unit
from aurum.services.lineage import Role


class ObservationDocument(BaseModel):
    """The observation that was asked for."""

    kind: Literal["observation"] = "observation"
    series: str
    start: datetime
    end: datetime | None = Field(description="End of the interval, exclusive; null for a series without intervals.")


class QuoteDocument(BaseModel):
    """The field of a quote that was asked for."""

    kind: Literal["quote"] = "quote"
    curve: str
    trade_date: date
    period: PeriodDocument
    field: str


class VersionDocument(BaseModel):
    """A version of the number."""

    value: float | None
    known_at: datetime
    superseded_at: datetime | None = Field(description="When the next version became known; null: none was by `as_of`.")


class RestatementDocument(BaseModel):
    """A restatement that gave the number another known time."""

    recorded_at: datetime
    known_from: datetime = Field(description="The known time before.")
    known_to: datetime = Field(description="The known time since.")


class ParserDocument(BaseModel):
    """A parser: the format of files that it reads, its version, and the release of Aurum."""

    format: str
    version: str
    release: str


class PlaceDocument(BaseModel):
    """The place of the number in a file, found by parsing the stored file again."""

    state: PlaceState = Field(
        description="`located`; `pending`: a job looks for it, so send the request again; `no_file`: it was sent over HTTP or "
        "computed; `not_stored`; `damaged`; `unreadable`: the parser of today refuses the file; `not_in_file`; `failed`; "
        "`not_requested`: `locate` is false, or another of its files has the number."
    )
    why: str = Field(description="Why it is not located, or not verified; else empty.")
    line: int | None = Field(description="Number of the line, counted from 1.")
    counts: Unit | None = Field(description="What `line` counts: lines, rows of a workbook through its sheets, or elements.")
    cell: str | None = Field(description="Address in a workbook.", examples=["'Fixed Price'!F12"])
    column: str | None = Field(
        description="Header of the column, or name of the element; null where the parser does not say.", examples=["Settlement"]
    )
    column_number: int | None = Field(description="Position of the column in a file of text, counted from 1.", examples=[9])
    text: str | None = Field(description="Text of the line, at most 1,000 characters.")
    value: float | None = Field(description="The number at this place, in the stored unit.")
    verified: bool | None = Field(description="Whether the number at this place is the stored one.")
    parser: ParserDocument | None = Field(description="The parser that looked for it; null before one did.")
    parser_changed: bool | None = Field(description="Whether another parser had read the file; null: not on record.")
    job_id: str | None = Field(description="The job that looks or looked for it.")


class OriginDocument(BaseModel):
    """A file that brought the number or may hold it, or a content that was sent or computed."""

    role: Role = Field(
        description="`brought`: its recording added this version; `may_hold`: it has rows around the number, "
        "known at that time."
    )
    how: Literal["file", "request", "computed"] = Field(description="A file, a request over HTTP, or a computation of Aurum.")
    sent_by: str | None = Field(description="Kind of the subject that sent or computed it: `key`, `user`, ...; null for files.")
    file_id: int
    name: str
    archive: str | None = Field(description="Name of the archive that the file is a member of.")
    digest: str = Field(description="SHA-256 of the content, hexadecimal.")
    size: int = Field(description="Bytes.")
    source: str
    dataset: str
    loaded_at: datetime
    recorded_at: datetime | None = Field(description="Instant of its recording; null: it was loaded before recordings.")
    parser: ParserDocument | None = Field(description="The parser that read it; null: not on record.")
    place: PlaceDocument


class ComputedByDocument(BaseModel):
    """The derived curve that computes a number."""

    derived_id: str = Field(description="As in `GET /v2/curves/derived/{derived_id}`.")
    expression: dict[str, JsonValue]
    inputs: list[str] = Field(description="Keys of the curves that the expression reads, in its order.")


class LineageDocument(BaseModel):
    """Where a number came from."""

    number: ObservationDocument | QuoteDocument
    value: float | None = Field(description="As stored, in `unit`; null: listed without a price, or withdrawn.")
    unit: str
    currency: str | None
    known_at: datetime
    known_at_basis: str = Field(
        description="Who vouches for `known_at`: `published`, `stated`, `scheduled` or `ingested`; empty: not on record."
    )
    versions: list[VersionDocument] = Field(description="All versions known at `as_of`, the oldest first.")
    restatements: list[RestatementDocument] = Field(description="Changes of its known time, the last first.")
    files: list[OriginDocument] = Field(description="Those that brought it, then others that may hold it, the likeliest first.")
    more_files: bool = Field(description="Whether further files may hold it.")
    computed_by: ComputedByDocument | None = Field(
        description="The derived curve that computes the number: ask for the lineage of its inputs. Null for other numbers."
    )


class LineageMeta(BaseModel):
    as_of: datetime | None = Field(description="The point in time of the answer; null: now.")
    as_loaded: datetime | None
    pending: bool = Field(description="Whether a place is still looked for: send the request again.")


class LineageAnswer(BaseModel):
    data: LineageDocument
    meta: LineageMeta
