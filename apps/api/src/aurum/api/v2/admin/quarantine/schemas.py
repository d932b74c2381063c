"""Shapes of replayed files."""

from __future__ import annotations

from pydantic import BaseModel


class ReplayJob(BaseModel):
    """The job that a worker does."""

    job_id: str
    digest: str


class ReplayAnswer(BaseModel):
    data: ReplayJob
