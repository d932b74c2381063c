"""Settings of background workers: their roles, how many jobs they run, limits of jobs, metrics and health."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Role: TypeAlias = Literal["relay", "run", "schedule"]


class WorkersSettings(BaseModel):
    """``AURUM_WORKERS__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: tuple[Role, ...] = Field(
        default=("relay", "run", "schedule"),
        min_length=1,
        description="what a worker does: announce jobs and clean up after vanished workers (relay), run jobs, submit the jobs"
        " of the schedule",
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="address at which a worker serves its metrics and its health, without authentication"
    )
    metrics_port: int = Field(
        default=9191, ge=0, le=65535, description="port at which a worker serves its metrics and its health; 0: none"
    )
    interactive_places: int = Field(
        default=2, ge=0, description="jobs of the queue `interactive` that a worker runs at once in processes of their own"
    )
    bulk_places: int = Field(default=2, ge=0, description="the same for the queue `bulk`: loads, fetches, backfills")
    maintenance_places: int = Field(
        default=1, ge=0, description="the same for the queue `maintenance`: archive, models, checks"
    )
    light_places: int = Field(
        default=100, ge=0, description="jobs of each queue that a worker runs at once in its own process: those that only wait"
    )
    lease_s: float = Field(
        default=15.0, gt=0, description="a worker that has not reported for this long has vanished, and its jobs go to others"
    )
    sweep_s: float = Field(
        default=5.0,
        gt=0,
        description="how often a worker looks into the database for jobs without an announcement, and for those of workers that"
        " vanished",
    )
    stalled_s: float = Field(
        default=60.0, gt=0, description="a worker whose event loop is blocked for this long ends itself, to be started again"
    )
    grace_s: float = Field(
        default=25.0, ge=0, description="time that a worker which is stopped leaves its jobs to end; then they are handed back"
    )
    memory_mib: int = Field(default=8192, ge=1024, description="address space of the process of a job, in MiB")
    processor_s: int = Field(default=7200, ge=1, description="processor time of one attempt of a job in a process of its own")
    wall_s: float = Field(default=14_400.0, gt=0, description="longest time of one attempt; most jobs have a shorter one")
    first_retry_s: float = Field(default=1.0, gt=0, description="wait before the second attempt of a job; doubles each time")
    longest_retry_s: float = Field(default=300.0, gt=0, description="longest wait before an attempt")
    unknown_s: float = Field(
        default=300.0, ge=0, description="a job whose name no worker knows is parked after this time: a newer worker may start"
    )
