"""Documents of ``/v2/curves``."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from aurum.core.curves.periods import PeriodKind

PERIOD_EXAMPLE: dict[str, JsonValue] = {
    "label": "Q1-25",
    "kind": "quarter",
    "start": "2024-12-31T23:00:00Z",
    "end": "2025-03-31T22:00:00Z",
    "hours": 2159,
}


class PeriodDocument(BaseModel):
    """A delivery period."""

    model_config = ConfigDict(json_schema_extra={"examples": [PERIOD_EXAMPLE]})

    label: str
    kind: PeriodKind
    start: datetime = Field(description="Start of the first delivery day, UTC.")
    end: datetime = Field(description="End of the last delivery day, UTC, exclusive.")
    hours: float = Field(description="Hours of the product's block within the period.")
