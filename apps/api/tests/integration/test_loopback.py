"""An open service answers this machine, and no page of another origin, under whatever name it comes."""

from __future__ import annotations

import httpx
import pytest
from api_market import NYC
from layered import in_context
from starlette.responses import PlainTextResponse

from aurum.api.middleware.loopback import Loopback
from aurum.api.testing import serving
from aurum.api.testing.listening import listening
from aurum.common.settings import ApiSettings, Settings

OURS = "127.0.0.1:8000"
EVIL = "http://evil.example"


async def send_request(
    method: str, headers: dict[str, str], *, at: str = "127.0.0.1", path: str = "/v2/thing", **settings: object
) -> httpx.Response:
    """Send one request to a service on the address ``at``."""
    app = in_context(Loopback(PlainTextResponse("here"), ApiSettings.model_validate(settings)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{at}:8000") as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("host", "status"),
    [
        (OURS, 200),
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("aurum.localhost", 200),
        ("127.8.8.8", 200),
        ("[::1]:8000", 200),
        ("evil.example", 403),
        ("evil.example:8000", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("192.0.2.1", 403),
        ("[::2", 403),
        ("", 403),
    ],
)
async def test_it_answers_for_names_of_its_own_machine(method: str, host: str, status: int) -> None:
    assert (await send_request(method, {"host": host})).status_code == status


async def test_it_answers_for_names_that_settings_add() -> None:
    assert (await send_request("GET", {"host": "desk.example"}, names=["Desk.example"])).status_code == 200


@pytest.mark.parametrize("at", ["192.0.2.1", "[2001:db8::1]"])
async def test_it_answers_on_no_address_that_others_reach_but_how_it_is(at: str) -> None:
    assert (await send_request("GET", {"host": OURS}, at=at)).status_code == 403
    assert (await send_request("GET", {}, at=at, path="/live")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": f"http://{OURS}"}, 200),
        ({"origin": f"http://{OURS}", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": EVIL}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "https://desk.example", "sec-fetch-site": "cross-site"}, 200),
    ],
)
async def test_pages_of_other_origins_change_nothing(headers: dict[str, str], status: int) -> None:
    answer = await send_request("POST", headers, cors_origins=["https://desk.example"])
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["type"] == "/problems/forbidden"
    assert (await send_request("GET", headers)).status_code == 200, "a page that may not read it cannot see the answer"


async def test_the_service_itself_is_so_and_kept_answers_are_no_exception(settings: Settings) -> None:
    path = f"/v2/series/{NYC}"
    with listening(settings) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=120) as client:
            for _ in range(3):
                assert (await client.get(path)).status_code == 200
            for _ in range(2):
                assert (await client.get(path, headers={"host": "evil.example"})).status_code == 403
            assert (await client.get(path)).headers["x-cache"] == "hit"
            flag = "/v2/admin/flags/any/kill"
            assert (await client.post(flag, headers={"origin": EVIL})).status_code == 403
            assert (await client.post(flag)).status_code == 404


async def test_kept_answers_are_not_given_on_other_addresses_either(settings: Settings) -> None:
    path = f"/v2/series/{NYC}"
    async with serving(settings) as served:
        transport = httpx.ASGITransport(served.asgi)
        for at, status in (("127.0.0.1", 200), ("127.0.0.1", 200), ("192.0.2.1", 403)):
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{at}") as client:
                assert (await client.get(path, headers={"host": "127.0.0.1"})).status_code == status
