"""Health of dependencies: those that the service needs, and those without which it runs on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from api_issuer import AUDIENCE, issuing
from moved_time import MovedTime

from aurum.api.testing import serving
from aurum.common.settings import AccessSettings, HistorySettings, RedisSettings, Settings
from aurum.common.settings.resilience import ResilienceSettings

pytestmark = pytest.mark.needs_postgres


async def test_every_dependency_is_told_of(settings: Settings, tmp_path: Path) -> None:
    async with serving(settings.model_copy(update={"data_dir": tmp_path})) as served:
        health = (await served.client.get("/health")).json()
    assert health["status"] == "ok"
    assert {one["name"]: one["needed"] for one in health["dependencies"]} == {
        "store": True, "changes": False, "disk": False, "redis": False, "door": False, "limits": False, "breakers": False,
        "history": False,
    }  # fmt: skip
    assert all(one["milliseconds"] >= 0 for one in health["dependencies"])


async def test_without_redis_the_service_is_degraded_and_ready(settings: Settings) -> None:
    away = settings.model_copy(update={"redis": RedisSettings(url="redis://:secret@127.0.0.1:1/0")})
    async with serving(away) as served:
        health, ready = await served.client.get("/health"), await served.client.get("/ready")
        answer = await served.client.get("/v2/catalog/sources")
    assert (health.json()["status"], ready.status_code, answer.status_code) == ("degraded", 200, 200)
    assert "secret" not in health.text


async def test_an_identity_provider_that_is_away_degrades_and_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = MovedTime()
    monkeypatch.setattr("aurum.api.security.tokens.time", time)
    with issuing() as issuer:
        issuer.add("first")
        issuer.away = True
        access = AccessSettings(mode="required", issuer=issuer.url, audience=AUDIENCE, jwks_pause_s=10)
        async with serving(settings.model_copy(update={"access": access})) as served:
            away, ready = (await served.client.get("/health")).json(), await served.client.get("/ready")
            issuer.away = False
            time.now += 10
            back = (await served.client.get("/health")).json()
    provider = [[one for one in health["dependencies"] if one["name"] == "identity provider"] for health in (away, back)]
    assert [(one["status"], one["needed"]) for (one,) in provider] == [("unavailable", False), ("ok", False)]
    assert ready.status_code == 200


async def test_an_identity_provider_that_keeps_failing_is_left_alone_and_that_is_seen(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = MovedTime()
    for module in ("aurum.api.security.tokens", "aurum.common.resilience.breaker"):
        monkeypatch.setattr(f"{module}.time", time)
    with issuing() as issuer:
        issuer.add("first")
        issuer.away = True
        access = AccessSettings(issuer=issuer.url, audience=AUDIENCE, jwks_pause_s=10)
        patience = ResilienceSettings(breaker_failures=2, breaker_open_s=300)
        async with serving(settings.model_copy(update={"access": access, "resilience": patience})) as served:
            away: dict[str, Any] = {}
            for _ in range(6):
                away = (await served.client.get("/health")).json()
                time.now += 10
            tried, metrics = issuer.requests, (await served.client.get("/metrics")).text
            issuer.away = False
            time.now += 300
            await served.client.get("/health")
            back = (await served.client.get("/health")).json()
    assert tried == 2
    assert "identity provider: open" in _detail(away, "breakers")
    assert re.search(r'aurum_breaker_open\{dependency="identity provider"[^}]*\} 1', metrics)
    assert re.search(r'aurum_retries_total\{dependency="identity provider"[^}]*\} 0', metrics)
    assert "identity provider: closed" in _detail(back, "breakers")


async def test_history_that_is_away_degrades_and_is_named(settings: Settings, tmp_path: Path) -> None:
    lost = tmp_path / "lost"
    lost.write_text("a file, where a folder should be")
    there = settings.model_copy(update={"history": HistorySettings(url=str(lost / "history"))})
    async with serving(there) as served:
        health, ready = (await served.client.get("/health")).json(), await served.client.get("/ready")
    (history,) = [one for one in health["dependencies"] if one["name"] == "history"]
    assert (health["status"], history["status"], ready.status_code) == ("degraded", "unavailable", 200)


def _detail(health: dict[str, Any], name: str) -> str:
    (detail,) = [one["detail"] for one in health["dependencies"] if one["name"] == name]
    return detail
