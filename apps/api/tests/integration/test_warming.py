"""Golden queries are there before anybody asks, and stay fresh for longer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_market import NYC
from starlette.types import Receive, Scope, Send

from aurum.api.cache.warming import keep_warm, warm
from aurum.api.testing import serving
from aurum.common.settings import CacheSettings, Settings
from aurum.storage.testing.waiting import wait_until

GOLDEN = f"/v2/series/{NYC}/observations?start=2025-11-01&end=2025-11-02"


async def test_a_golden_query_is_kept_when_the_first_caller_asks(settings: Settings) -> None:
    cache = settings.cache.model_copy(update={"enabled": True, "golden": (GOLDEN,)})
    async with serving(settings.model_copy(update={"cache": cache})) as served:

        async def warm() -> bool:
            # Asked for like this nothing is kept on account of this caller.
            return "observations" in str((await served.client.get("/v2/admin/cache")).json())

        await wait_until(warm)
        as_it_is = {"accept-encoding": "identity"}  # the first coding that is asked for
        first = await served.client.get(GOLDEN, headers=as_it_is)
        other = await served.client.get(GOLDEN.replace("end=2025-11-02", "end=2025-11-03"), headers=as_it_is)
    assert (first.headers["x-cache"], other.headers["x-cache"]) == ("hit", "miss")


@pytest.mark.parametrize(("statuses", "rounds"), [([503, 503, 200], 3), ([200], 1)])
async def test_a_golden_query_that_failed_is_asked_for_again_soon(
    statuses: list[int], rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[str] = []
    pauses: list[float] = []

    class Pauses:
        async def sleep(self, seconds: float) -> None:
            pauses.append(seconds)
            if seconds >= 3600:
                raise asyncio.CancelledError

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        paths.append(scope["path"])
        status = statuses[min((len(paths) - 1) // 4, len(statuses) - 1)]
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    monkeypatch.setattr("aurum.api.cache.warming.asyncio", Pauses())
    settings = CacheSettings(golden=("/golden",), warm_every_s=3600)
    with pytest.raises(asyncio.CancelledError):
        await keep_warm(app, dict[str, Any](), settings, again_s=7)
    assert paths == ["/golden"] * 4 * rounds, "once for each coding in each round"
    assert pauses == [7] * (rounds - 1) + [3600]


async def test_a_golden_query_that_is_streamed_leaves_the_loop_to_others() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # As a streamed answer listens for the end of its connection.
        await receive()
        second = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        status = 500 if second.done() else 200
        second.cancel()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    assert await warm(app, dict[str, Any](), ("/golden",)) == 1
