"""Documents of replayed files."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ReplayJob(BaseModel):
    """The job that replays a file."""

    job_id: str
    digest: str = Field(description="SHA-256 of the content of the file, hexadecimal.")


class ReplayAnswer(BaseModel):
    data: ReplayJob
