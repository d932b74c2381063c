"""Shapes of the series slice."""

from __future__ import annotations

from pydantic import BaseModel

from aurum.api.contract.schemas import PageMeta, SeriesDocument


class SeriesPage(BaseModel):
    """Series, ascending by key."""

    data: list[SeriesDocument]
    meta: PageMeta


class SeriesAnswer(BaseModel):
    """One series."""

    data: SeriesDocument
