"""Settings: one frozen model a concern, handed down by value."""

from aurum.common.settings.access import AccessSettings
from aurum.common.settings.api import ApiSettings
from aurum.common.settings.cache import CacheSettings
from aurum.common.settings.database import DatabaseSettings
from aurum.common.settings.load import InvalidSetting, Settings, environment, load_settings
from aurum.common.settings.logging import LoggingSettings
from aurum.common.settings.quality import QualitySettings
from aurum.common.settings.redis import RedisSettings
from aurum.common.settings.workers import WorkersSettings

__all__ = [
    "AccessSettings",
    "ApiSettings",
    "CacheSettings",
    "DatabaseSettings",
    "InvalidSetting",
    "LoggingSettings",
    "QualitySettings",
    "RedisSettings",
    "Settings",
    "WorkersSettings",
    "environment",
    "load_settings",
]
