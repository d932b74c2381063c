"""Settings of the schedule, of the fetches it makes, and of the inbox."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class ScheduleSettings(BaseModel):
    """``AURUM_SCHEDULE__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fetch: tuple[str, ...] = Field(
        default=(),
        description="sources and datasets that are fetched from their publishers by themselves, as JSON, for example"
        ' `["ecb", "nyiso:pal"]`, or `["all"]`; by default no publisher is asked',
    )
    on: tuple[str, ...] = Field(
        default=(),
        description="schedules that are delivered switched off and shall run, as JSON, for example"
        ' `["history.archive", "dbt.run"]`',
    )
    first_days: int = Field(default=7, ge=1, le=366, description="days that the first fetch of a dataset brings")
    look_s: float = Field(default=1.0, gt=0, le=60, description="how often the scheduler looks for what is due")
    jobs_days: int = Field(default=30, ge=1, description="days for which ended jobs are stored")
    warm: tuple[str, ...] = Field(
        default=(),
        description="addresses that are requested every five minutes, so that their answers are in the cache, as JSON, for"
        ' example `["https://aurum.example/v2/catalog/datasets"]`',
    )
    warm_key: SecretStr | None = Field(default=None, description="API key for these requests")


class InboxSettings(BaseModel):
    """``AURUM_INBOX__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path | None = Field(
        default=None, description="folder whose new files are loaded, each once when it is whole; a bucket is not supported"
    )
    every_s: int = Field(default=30, ge=1, le=86400, description="how often it is looked at; a file is whole after two looks")
    loaded: Literal["move", "leave"] = Field(
        default="move", description="what happens to a file that was loaded: it is moved to `loaded`, or left where it is"
    )
    needs_marker: bool = Field(
        default=False, description="load a file only when a second file stands beside it, with `.done` added to its name"
    )
