"""Real servers out of Python wheels, for one machine: used where settings name no server of their own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from aurum.common.settings import DatabaseSettings, RedisSettings
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.embedded.redis import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey", "database", "redis"]


@contextmanager
def database(settings: DatabaseSettings, data_dir: Path) -> Generator[DatabaseSettings]:
    """Settings with a URL: the given one, or that of the embedded PostgreSQL, which then runs for the length of the block."""
    if settings.url is not None:
        yield settings
        return
    with EmbeddedPostgres(data_dir) as server:
        yield settings.model_copy(update={"url": server.url})


@contextmanager
def redis(settings: RedisSettings, data_dir: Path) -> Generator[RedisSettings]:
    """Settings with a URL: the given one, or that of the embedded Valkey, which then runs for the length of the block."""
    if settings.url is not None:
        yield settings
        return
    with EmbeddedValkey(data_dir) as server:
        yield settings.model_copy(update={"url": server.url})
