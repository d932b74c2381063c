"""``aurum series show``: observations as they were known, and as the store held them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aurum.cli import series
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import InvalidParameters
from aurum.storage.testing.builders import KEY, file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres


async def test_as_loaded_shows_the_store_as_it_stood(database_url: str, tmp_path: Path, postgres_store: PostgresStore) -> None:
    settings = Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))

    async def values(*options: str) -> list[float]:
        arguments = ["show", KEY, "--json", *options]
        result = await asyncio.to_thread(CliRunner().invoke, series.app, arguments, obj=settings)
        if result.exception is not None:
            raise result.exception
        return [row["value"] for row in json.loads(result.stdout)["data"]]

    await postgres_store.loader.load(file_load([(0, 1, 1.0)]))
    at = (await postgres_store.loaded.latest()).isoformat()
    await postgres_store.loader.load(file_load([(0, 2, 2.0), (1, 2, 3.0)]))
    assert await values() == [2.0, 3.0]
    assert await values("--as-loaded", at) == [1.0]
    assert await values("--as-loaded", at, "--as-of", "2025-01-01") == []
    with pytest.raises(InvalidParameters, match="as_loaded: is in the future"):
        await values("--as-loaded", "2999-01-01")
