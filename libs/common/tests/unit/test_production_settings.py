"""Settings with which a service refuses to start when other machines can reach it."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from aurum.common.settings import AccessSettings, ApiSettings, DatabaseSettings, LoggingSettings, RedisSettings, Settings
from aurum.common.settings.production import missing_for_production

SAFE = Settings(
    profile="production",
    api=ApiSettings(cursor_secret=SecretStr("s" * 32), cors_origins=("https://desk.example",)),
    access=AccessSettings(mode="required"),
    database=DatabaseSettings(url="postgresql://aurum@db.example/aurum"),
    redis=RedisSettings(url="redis://cache.example/0"),
    logging=LoggingSettings(format="json"),
)


def test_safe_settings_are_not_refused() -> None:
    assert missing_for_production(SAFE) == []


@pytest.mark.parametrize(
    ("part", "change", "named"),
    [
        ("api", {"cors_origins": ("*",)}, "AURUM_API__CORS_ORIGINS"),
        ("api", {"cors_origins": ("https://desk.example", "*")}, "AURUM_API__CORS_ORIGINS"),
        ("api", {"cursor_secret": None}, "AURUM_API__CURSOR_SECRET"),
        ("api", {"cursor_secret": SecretStr("s" * 31)}, "AURUM_API__CURSOR_SECRET"),
        ("access", {"mode": "open"}, "AURUM_ACCESS__MODE"),
        ("database", {"url": None}, "AURUM_DATABASE__URL"),
        ("redis", {"url": None}, "AURUM_REDIS__URL"),
        ("logging", {"format": "console"}, "AURUM_LOGGING__FORMAT"),
    ],
)
def test_a_missing_or_unsafe_setting_is_named(part: str, change: dict[str, object], named: str) -> None:
    settings = SAFE.model_copy(update={part: getattr(SAFE, part).model_copy(update=change)})
    (line,) = missing_for_production(settings)
    assert line.startswith(named)
    assert "sss" not in line
