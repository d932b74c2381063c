"""Settings of a process, from the environment variables that the marks of a test name.

``@pytest.mark.shows(AURUM_API__PORT="9001")``: the test shows the effect of each of these variables.
``@pytest.mark.given(...)``: further variables that the test needs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from aurum.api.testing import InMemory, InventedSeries, Served, file_of, hourly, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings, load_settings
from aurum.common.settings.unknown import setting_names
from aurum.storage.memory import MemoryStore

START = datetime(2025, 11, 3, tzinfo=UTC)
HOURLY = "nyiso:damlbmp_zone:61761:lmp"
OTHER = "nyiso:damlbmp_zone:61762:lmp"
QUICK = "nyiso:rt:61761:load"
OBSERVATIONS = f"/v2/series/{HOURLY}/observations"


def value_of(settings: Settings, variable: str) -> object:
    """Return the value of the setting of an environment variable."""
    value: object = settings
    for part in variable.removeprefix("AURUM_").lower().split("__"):
        value = getattr(value, "schema_" if part == "schema" else part)
    return value


@pytest.fixture
def settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The settings of a process in an empty folder with the variables of the test's marks, and no others."""
    monkeypatch.chdir(tmp_path)
    for name in setting_names(Settings):
        monkeypatch.delenv(name, raising=False)
    defaults = Settings.model_construct()
    for mark in (*request.node.iter_markers("given"), *request.node.iter_markers("shows")):
        for name, value in mark.kwargs.items():
            monkeypatch.setenv(name, value)
    loaded = load_settings()
    for mark in request.node.iter_markers("shows"):
        for name in mark.kwargs:
            assert value_of(loaded, name) != value_of(defaults, name), f"{name}: the default value shows no effect"
    return loaded


@pytest.fixture
async def store() -> MemoryStore:
    """Three series: two by the hour, one by five minutes."""
    store = MemoryStore(SystemClock())
    for key in (HOURLY, OTHER):
        await store.loader.load(file_of(hourly(key, START, [30.0 + n for n in range(48)])))
    rows = [(START + n * timedelta(minutes=5), float(n), START, 0) for n in range(24)]
    await store.loader.load(file_of(InventedSeries(QUICK, "MW", "5min", "America/New_York", "NYISO", rows)))
    return store


@pytest.fixture
async def served(settings: Settings, store: MemoryStore) -> AsyncIterator[Served]:
    """The service of the settings over the three series."""
    async with serving(settings, InMemory(store)) as served:
        yield served


@pytest.fixture
def client_at(served: Served) -> Callable[[str], httpx.AsyncClient]:
    """Clients of the service, which listens on loopback, by their addresses."""

    async def on_loopback(scope: dict[str, object], receive: object, send: object) -> None:
        await served.asgi({**scope, "server": ("127.0.0.1", 8000)}, receive, send)  # type: ignore[arg-type]

    def client(address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(on_loopback, client=(address, 50_000))  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")

    return client
