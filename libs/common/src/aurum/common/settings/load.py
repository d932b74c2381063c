"""Settings from the environment, ``.env`` and defaults, in that order; a bad value or name stops the process with one line."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from aurum.common.errors import InvalidSetting
from aurum.common.settings.access import AccessSettings
from aurum.common.settings.alerts import AlertsSettings, WebhooksSettings
from aurum.common.settings.api import ApiSettings
from aurum.common.settings.cache import CacheSettings
from aurum.common.settings.changes import ChangesSettings
from aurum.common.settings.clickhouse import ClickhouseSettings
from aurum.common.settings.database import DatabaseSettings
from aurum.common.settings.dbt import DbtSettings
from aurum.common.settings.fetch import FetchSettings
from aurum.common.settings.files import FilesSettings
from aurum.common.settings.history import HistorySettings
from aurum.common.settings.limits import LimitsSettings
from aurum.common.settings.links import LinksSettings
from aurum.common.settings.logging import LoggingSettings
from aurum.common.settings.private import PrivateSettings
from aurum.common.settings.quality import QualitySettings
from aurum.common.settings.redis import RedisSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.common.settings.schedule import InboxSettings, ScheduleSettings
from aurum.common.settings.spool import SpoolSettings
from aurum.common.settings.supervision import SupervisionSettings
from aurum.common.settings.telemetry import TelemetrySettings
from aurum.common.settings.trino import TrinoSettings
from aurum.common.settings.unknown import unknown_setting
from aurum.common.settings.workers import WorkersSettings

_OF_THE_SYSTEM = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")
_CREDENTIALS = re.compile(r"//[^/?#\s]*@")
_FIELD = re.compile(r'field "(\w+)"')


class Settings(BaseSettings):
    """All settings of a process, frozen. Components receive their own part, never the whole."""

    model_config = SettingsConfigDict(
        env_prefix="AURUM_",
        env_nested_delimiter="__",
        env_file=".env",
        frozen=True,
        extra="ignore",
    )

    data_dir: Path = Field(default=Path(".aurum"), description="folder of the embedded servers' data; identifies the instance")
    contracts_dir: Path | None = Field(default=None, description="the contracts folder, when it is not beside the code")
    guides_dir: Path | None = Field(default=None, description="the guides folder, when it is not beside the code")
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    fetch: FetchSettings = Field(default_factory=FetchSettings)
    files: FilesSettings = Field(default_factory=FilesSettings)
    history: HistorySettings = Field(default_factory=HistorySettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    clickhouse: ClickhouseSettings = Field(default_factory=ClickhouseSettings)
    profile: Literal["local", "production"] = Field(
        default="local", description="production: refuse to start with unsafe settings"
    )
    access: AccessSettings = Field(default_factory=AccessSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    limits: LimitsSettings = Field(default_factory=LimitsSettings)
    links: LinksSettings = Field(default_factory=LinksSettings)
    alerts: AlertsSettings = Field(default_factory=AlertsSettings)
    webhooks: WebhooksSettings = Field(default_factory=WebhooksSettings)
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings)
    inbox: InboxSettings = Field(default_factory=InboxSettings)
    spool: SpoolSettings = Field(default_factory=SpoolSettings)
    changes: ChangesSettings = Field(default_factory=ChangesSettings)
    private: PrivateSettings = Field(default_factory=PrivateSettings)
    quality: QualitySettings = Field(default_factory=QualitySettings)
    resilience: ResilienceSettings = Field(default_factory=ResilienceSettings)
    cache: CacheSettings = Field(default_factory=CacheSettings)
    logging: LoggingSettings = Field(default_factory=LoggingSettings)
    supervision: SupervisionSettings = Field(default_factory=SupervisionSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
    trino: TrinoSettings = Field(default_factory=TrinoSettings)
    workers: WorkersSettings = Field(default_factory=WorkersSettings)
    dbt: DbtSettings = Field(default_factory=DbtSettings)


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of this process; ``overrides`` (nested, by field name) win over the environment.

    Raises ``InvalidSetting``. Its text names the variable, its value unless it is a secret, and the accepted values; for a
    variable that begins with ``AURUM_`` and is not a setting, it names the setting with the nearest name.
    """
    if (unknown := unknown_setting(Settings)) is not None:
        raise InvalidSetting(unknown)
    try:
        return Settings(**dict(overrides or {}))
    except ValidationError as error:
        first = error.errors()[0]
        variable = "AURUM_" + "__".join(str(part).upper() for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        is_secret = _is_secret(first["loc"])
        if is_secret and not variable.endswith("URL"):
            # The chained error would show the value, too.
            raise InvalidSetting(f"{variable}: {reason}") from None
        # Of a URL, only the user and the password are secret.
        got = _CREDENTIALS.sub("//***@", repr(first["input"]))
        raise InvalidSetting(f"{variable}: got {got}, {reason}") from (None if is_secret else error)
    except SettingsError as error:
        field = _FIELD.search(str(error))
        variable = f"AURUM_{field[1].upper()}" if field else "AURUM_*"
        # Its cause shows the text, which may hold a key.
        raise InvalidSetting(f"{variable} or a variable that begins with {variable}__: the value is not JSON") from None


def _is_secret(location: tuple[int | str, ...]) -> bool:
    """Return whether the setting at a location of fields is a secret, whose value no message shows."""
    model: type[BaseModel] = Settings
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            return False
        if "SecretStr" in str(field.annotation):
            return True
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return False
        model = field.annotation
    return False


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a child process: that of this process, with some ``AURUM_*`` variables set."""
    return {**os.environ, **settings}  # noqa: TID251 - the one place that passes the environment on


def environment_without_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a child process that reads foreign files: where programs, libraries and modules are, and
    ``settings``. No other variable of this process is in it, so no credential either.
    """
    return {**{name: os.environ[name] for name in _OF_THE_SYSTEM if name in os.environ}, **settings}  # noqa: TID251 - as above
