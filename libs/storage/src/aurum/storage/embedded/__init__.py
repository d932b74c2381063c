"""PostgreSQL and Valkey servers from Python wheels, for one machine: used where the settings name no server."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from aurum.common.settings import DatabaseSettings
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.embedded.redis import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey", "database"]


@contextmanager
def database(settings: DatabaseSettings, data_dir: Path) -> Generator[DatabaseSettings]:
    """Yield settings with a URL: the configured one, or that of an embedded PostgreSQL, which runs for the whole block."""
    if settings.url is not None:
        yield settings
        return
    with EmbeddedPostgres(data_dir) as server:
        yield settings.model_copy(update={"url": server.url})
