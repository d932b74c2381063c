"""Documents of ``/v2/alerts``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta
from aurum.core.alerts.alert import Alert, AlertKind, AlertState


class AlertDocument(BaseModel):
    """A fault of a dataset. There is at most one of a kind for a dataset and local day."""

    alert_id: str = Field(examples=["5e884898da28047151d0e56f8dc62927"])
    source: str = Field(examples=["nyiso"])
    dataset: str = Field(examples=["damlbmp_zone"])
    kind: AlertKind = Field(
        description="`late`: a publication is missing after its usual time. `stale`: the newest interval is too old. "
        "`incomplete`: a closed day has gaps. `shrinking`: a publication has far fewer rows or series than usual."
    )
    day: date = Field(description="Local day of the dataset that the alert is about.")
    state: AlertState
    summary: str = Field(description="The fault in one sentence.")
    facts: dict[str, Any] = Field(description="The numbers behind the alert.", examples=[{"minutes_overdue": 135}])
    opened_at: datetime
    seen_at: datetime = Field(description="Time of the last check that saw the fault.")
    acknowledged_at: datetime | None
    acknowledged_by: str = Field(description="Who acknowledged it; only callers with `admin:write` see it.")
    resolved_at: datetime | None
    resolved_by: str = Field(
        description="Who resolved it, for callers with `admin:write`; empty where a check did, after the fault was gone."
    )

    @classmethod
    def from_domain(cls, alert: Alert, *, for_operator: bool) -> AlertDocument:
        subject = alert.subject
        return cls(
            alert_id=alert.alert_id,
            source=subject.source,
            dataset=subject.dataset,
            kind=subject.kind,
            day=subject.day,
            state=alert.state,
            summary=alert.summary,
            facts=dict(alert.facts),
            opened_at=alert.opened_at,
            seen_at=alert.seen_at,
            acknowledged_at=alert.acknowledged_at,
            acknowledged_by=alert.acknowledged_by if for_operator else "",
            resolved_at=alert.resolved_at,
            resolved_by=alert.resolved_by if for_operator else "",
        )


class AlertPage(BaseModel):
    data: list[AlertDocument]
    meta: PageMeta


class AlertAnswer(BaseModel):
    data: AlertDocument
