"""pytest plugin: limits of time that no test states end only what hangs.

Their defaults are meant for callers who wait. A machine that does other work stands still for seconds, and would let them
decide tests of something else. A test of a limit states it, and child processes get ``PATIENT_VARIABLES``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from aurum.common.settings import ClickhouseSettings, DatabaseSettings, Settings, WebhooksSettings
from aurum.common.settings.limits import LimitsSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.common.settings.telemetry import TelemetrySettings
from aurum.storage.embedded import postgres as embedded_postgres
from aurum.storage.embedded import redis as embedded_redis
from aurum.storage.postgres import changes, schedule_firings
from aurum.storage.postgres.connection import slow_queries
from aurum.storage.postgres.curves import reader as curve_reader
from aurum.storage.postgres.jobs import worker_log
from aurum.storage.postgres.observations import reader as series_reader

_LONG_S: Final = 300.0
_ANSWER_S: Final = 120.0

_DEFAULTS: Final[Mapping[type[BaseModel], Mapping[str, float]]] = {
    DatabaseSettings: {"connect_timeout_s": _ANSWER_S, "statement_timeout_s": _LONG_S},
    ClickhouseSettings: {"wait_s": _ANSWER_S, "connect_timeout_s": _ANSWER_S, "read_timeout_s": _LONG_S},
    LimitsSettings: {
        "longest_wait_s": _ANSWER_S,
        "deadline_s": _LONG_S,
        "shed_wait_s": _LONG_S,
        "shed_p95_s": _LONG_S,
        "head_s": _ANSWER_S,
        "body_s": _LONG_S,
        "idle_s": _ANSWER_S,
        "send_s": _LONG_S,
    },
    ResilienceSettings: {"retry_within_s": _LONG_S, "http_timeout_s": 60.0, "redis_timeout_s": 60.0},
    TelemetrySettings: {"slow_query_s": _LONG_S},
    WebhooksSettings: {"answer_within_s": 45.0},
}

PATIENT_VARIABLES: Final[Mapping[str, str]] = {
    f"AURUM_{model.__name__.removesuffix('Settings').upper()}__{name.upper()}": f"{value:g}"
    for model, defaults in _DEFAULTS.items()
    for name, value in defaults.items()
}
"""Environment variables that give a child process the same limits."""


def pytest_configure() -> None:
    """Make the defaults long. The fields go on to state those of the product, which pages and contracts are written from."""
    for model, defaults in _DEFAULTS.items():
        _be_patient(model, defaults)
    Settings.model_rebuild(force=True)
    let_the_store_take_long()


def let_the_store_take_long() -> None:
    """Let the parts that take a silent server as gone wait long, in this process."""
    changes._ANSWER_TIMEOUT_S = _ANSWER_S  # pyright: ignore[reportPrivateUsage]
    schedule_firings._ANSWER_TIMEOUT_S = _ANSWER_S  # pyright: ignore[reportPrivateUsage]
    worker_log._ANSWER_TIMEOUT_S = _ANSWER_S  # pyright: ignore[reportPrivateUsage]
    slow_queries._PLACE_TIMEOUT_S = slow_queries._PLAN_TIMEOUT_S = _ANSWER_S  # pyright: ignore[reportPrivateUsage]
    series_reader._SETTLE_TIMEOUT_S = _ANSWER_S  # pyright: ignore[reportPrivateUsage]
    curve_reader._SETTLE_TIMEOUT_S = _ANSWER_S  # pyright: ignore[reportPrivateUsage]
    embedded_postgres._START_S = _LONG_S  # pyright: ignore[reportPrivateUsage]
    embedded_redis._ANSWER_S = _ANSWER_S  # pyright: ignore[reportPrivateUsage]


def _be_patient(model: type[BaseModel], defaults: Mapping[str, float]) -> None:
    fields = model.model_fields
    stated: dict[str, Any] = {name: fields[name].default for name in defaults}
    try:
        for name, value in defaults.items():
            fields[name].default = value
        model.model_rebuild(force=True)
    finally:
        for name, value in stated.items():
            fields[name].default = value
