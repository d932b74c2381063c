"""A check for environment variables that look like settings and are not: a misspelt one would silently have no effect."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from pydantic import BaseModel
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource

PREFIX = "AURUM_"
OTHER_PREFIXES = ("AURUM_TEST_", "AURUM_BENCH_")
"""Prefixes of variables for tests and benchmarks."""
OTHER_VARIABLES = frozenset(
    {
        "AURUM_AUDIT_KEY",
        "AURUM_CLICKHOUSE_OPERATOR_PASSWORD",
        "AURUM_CLICKHOUSE_READER_PASSWORD",
        "AURUM_CLICKHOUSE_VECTOR_PASSWORD",
        "AURUM_CLICKHOUSE_WRITER_PASSWORD",
        "AURUM_CURSOR_SECRET",
        "AURUM_DATABASE_HOST",
        "AURUM_DB_PASSWORD",
        "AURUM_KEY",
        "AURUM_METRICS_KEY_FILE",
    }
)
"""Variables of docker-compose.yml, which reads the same environment and the same ``.env``, and of the guides."""


def setting_names(settings: type[BaseModel], prefix: str = PREFIX) -> Iterator[str]:
    """Yield the variable of each setting and of each group of settings, which accepts its settings as JSON."""
    for name, field in settings.model_fields.items():
        variable = prefix + (field.alias or name).upper()
        yield variable
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_names(field.annotation, variable + "__")


def unknown_setting(settings: type[BaseSettings]) -> str | None:
    """Return a line about the first variable, in the environment or in ``.env``, that is not a setting; None without one."""
    known = list(setting_names(settings))
    sources = {"": EnvSettingsSource(settings), " in .env": DotEnvSettingsSource(settings)}
    for where, source in sources.items():
        for variable in sorted(name.upper() for name in source.env_vars):
            if variable.startswith(PREFIX) and variable not in known and not _is_exempt(variable):
                (nearest,) = get_close_matches(variable, known, n=1, cutoff=0.0)
                return f"{variable}{where}: there is no such setting; did you mean {nearest}?"
    return None


def _is_exempt(variable: str) -> bool:
    return variable in OTHER_VARIABLES or variable.startswith(OTHER_PREFIXES)
