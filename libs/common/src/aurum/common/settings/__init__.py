"""Settings of a process: a frozen model for each concern, passed to the components as values."""

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
from aurum.common.settings.links import LinksSettings
from aurum.common.settings.load import Settings, environment, environment_without_settings, load_settings
from aurum.common.settings.logging import LoggingSettings
from aurum.common.settings.private import PrivateSettings
from aurum.common.settings.quality import QualitySettings
from aurum.common.settings.redis import RedisSettings
from aurum.common.settings.schedule import InboxSettings, ScheduleSettings
from aurum.common.settings.spool import SpoolSettings
from aurum.common.settings.supervision import SupervisionSettings
from aurum.common.settings.trino import TrinoSettings
from aurum.common.settings.workers import WorkersSettings

__all__ = [
    "AccessSettings",
    "AlertsSettings",
    "ApiSettings",
    "CacheSettings",
    "ChangesSettings",
    "ClickhouseSettings",
    "DatabaseSettings",
    "DbtSettings",
    "FetchSettings",
    "FilesSettings",
    "HistorySettings",
    "InboxSettings",
    "LinksSettings",
    "LoggingSettings",
    "PrivateSettings",
    "QualitySettings",
    "RedisSettings",
    "ScheduleSettings",
    "Settings",
    "SpoolSettings",
    "SupervisionSettings",
    "TrinoSettings",
    "WebhooksSettings",
    "WorkersSettings",
    "environment",
    "environment_without_settings",
    "load_settings",
]
