"""Pages of other origins: those that settings name may ask, without cookies; all others are as before."""

from __future__ import annotations

import pytest

from aurum.api.testing import serving
from aurum.common.settings import AccessSettings, ApiSettings, Settings

DESK = "https://desk.example"
ASKS = {"Origin": DESK, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


def allowing(settings: Settings, *origins: str, mode: str = "open") -> Settings:
    api = settings.api.model_copy(update={"cors_origins": origins})
    return settings.model_copy(update={"api": api, "access": AccessSettings(mode=mode)})  # type: ignore[arg-type] - one of two


async def test_a_page_that_is_named_may_ask_and_see_what_matters(settings: Settings) -> None:
    async with serving(allowing(settings, DESK)) as served:
        for _ in range(2):
            answer = await served.client.get("/v2/catalog/sources", headers={"Origin": DESK})
        other = await served.client.get("/v2/catalog/sources", headers={"Origin": "https://evil.example"})
    assert answer.headers["x-cache"] == "hit"
    assert answer.headers["access-control-allow-origin"] == DESK
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in other.headers
    assert other.status_code == 200, "it is the browser that keeps the answer from the page"


async def test_whether_a_page_may_ask_needs_no_key(settings: Settings) -> None:
    async with serving(allowing(settings, DESK, mode="required")) as served:
        answer = await served.client.options("/v2/catalog/sources", headers=ASKS)
        stranger = await served.client.options("/v2/catalog/sources", headers=ASKS | {"Origin": "https://evil.example"})
        refused = await served.client.get("/v2/catalog/sources", headers={"Origin": DESK})
    assert (answer.status_code, answer.headers["access-control-max-age"]) == (200, "600")
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    assert stranger.status_code == 400
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, DESK)


async def test_without_origins_nothing_is_said(settings: Settings) -> None:
    async with serving(settings) as served:
        answer = await served.client.get("/v2/catalog/sources", headers={"Origin": DESK})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", ["desk.example", "https://desk.example/", "ftp://desk.example", ""])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        ApiSettings(cors_origins=(origin,))
