"""A look at a dependency ends when its time is over, whatever it still holds."""

from __future__ import annotations

import asyncio

import pytest

from aurum.api.handlers.health_checks import Finding, HealthCheck, look_at
from aurum.core.errors import Unavailable


async def test_a_look_is_not_waited_for_while_it_lets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aurum.api.handlers.health_checks.PATIENCE_S", 0.05)
    silent = asyncio.Event()

    async def look() -> Finding:
        try:
            await silent.wait()
        finally:
            # As a pool does that resets a connection to a server that says nothing.
            await silent.wait()
        return Finding("ok", "")

    (checks,) = await asyncio.wait_for(look_at([HealthCheck("store", look)]), 120)
    silent.set()
    assert (checks.finding.status, checks.is_ok) == ("unavailable", False)


async def test_what_a_dependency_says_is_told() -> None:
    async def fine() -> Finding:
        return Finding("ok", "here")

    async def away() -> Finding:
        raise Unavailable("gone", retry_after=1.0)

    checks = await look_at([HealthCheck("a", fine), HealthCheck("b", away)])
    assert [(one.finding.status, one.finding.detail) for one in checks] == [("ok", "here"), ("unavailable", "gone")]
