"""Where a request comes from: behind proxies that are trusted, and for those who are let in or kept out."""

from __future__ import annotations

import httpx
import pytest
from layered import in_context, socketed
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from aurum.api.http.request_state import state_of
from aurum.api.middleware.addresses import Addresses
from aurum.common.settings.limits import LimitsSettings

Headers = list[tuple[str, str]]


async def _where(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(state_of(Request(scope).scope).address)(scope, receive, send)


async def send_request(peer: str, headers: Headers | None = None, path: str = "/", **limits: object) -> httpx.Response:
    """Send one request from a peer and return the response."""
    app = in_context(Addresses(_where, LimitsSettings.model_validate(limits)))
    transport = httpx.ASGITransport(app, client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://aurum.test") as client:
        return await client.get(path, headers=headers)


PROXIES = ["10.0.0.0/8", "2001:db8:ffff::/48"]


async def test_the_peer_of_a_real_socket_is_the_address() -> None:
    async with socketed(in_context(Addresses(_where, LimitsSettings()))) as client:
        assert (await client.get("/")).text == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("10.0.0.1", "198.51.100.1:5555", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, ::ffff:10.1.1.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("2001:db8:ffff::1", "198.51.100.1", "198.51.100.1"),
        ("2002:a00:1::1", "198.51.100.1", "2002:a00:1::1"),
        ("::10.0.0.1", "198.51.100.1", "::10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown, 10.2.2.2", "10.2.2.2"),
        ("10.0.0.1", "'; DROP TABLE", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1," * 2000 + "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1" * 20_000, "10.0.0.1"),
    ],
)
async def test_behind_trusted_proxies_it_is_the_first_from_the_right_that_is_none(
    peer: str, forwarded: str, address: str
) -> None:
    answer = await send_request(peer, [("x-forwarded-for", forwarded)], trusted_proxies=PROXIES)
    assert answer.text == address


async def test_several_header_lines_are_one_list() -> None:
    lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.1, 10.1.1.1")]
    assert (await send_request("10.0.0.1", lines, trusted_proxies=PROXIES)).text == "198.51.100.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("for=198.51.100.1", "198.51.100.1"),
        ("For=198.51.100.1;proto=https;by=10.0.0.1", "198.51.100.1"),
        ('proto=https; for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ("for=1.1.1.1, for=198.51.100.1, for=10.3.3.3", "198.51.100.1"),
        ("for=_hidden, for=10.3.3.3", "10.3.3.3"),
        ("by=198.51.100.1", "10.0.0.1"),
    ],
)
async def test_the_standard_header_where_proxies_write_that_one(forwarded: str, address: str) -> None:
    headers = [("forwarded", forwarded), ("x-forwarded-for", "6.6.6.6")]
    answer = await send_request("10.0.0.1", headers, trusted_proxies=PROXIES, proxy_header="forwarded")
    assert answer.text == address


async def test_the_header_that_proxies_do_not_write_is_not_believed() -> None:
    answer = await send_request("10.0.0.1", [("forwarded", "for=6.6.6.6")], trusted_proxies=PROXIES)
    assert answer.text == "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "limits", "status"),
    [
        ("203.0.113.9", {"deny": ["203.0.113.0/24"]}, 403),
        ("203.0.114.9", {"deny": ["203.0.113.0/24"]}, 200),
        ("::ffff:203.0.113.9", {"deny": ["203.0.113.0/24"]}, 403),
        ("64:ff9b::203.0.113.9", {"deny": ["203.0.113.0/24"]}, 403),
        ("64:ff9b:1::203.0.113.9", {"deny": ["203.0.113.0/24"]}, 403),
        ("2002:cb00:7109::1", {"deny": ["203.0.113.0/24"]}, 403),
        ("2001:0:4136:e378:8000:63bf:34ff:8ef6", {"deny": ["203.0.113.0/24"]}, 403),
        ("::203.0.113.9", {"deny": ["203.0.113.0/24"]}, 403),
        ("::1", {"deny": ["0.0.0.0/8"]}, 200),
        ("2002:cb00:7209::1", {"deny": ["203.0.113.0/24"]}, 200),
        ("2002:cb00:7109::1", {"deny": ["2002::/16"]}, 403),
        ("64:ff9b::203.0.113.9", {"allow": ["203.0.113.0/24"]}, 200),
        ("64:ff9b::203.0.113.9", {"allow": ["64:ff9b::/96"]}, 200),
        ("64:ff9b::203.0.113.9", {"allow": ["203.0.113.0/24", "64:ff9b::/96"], "deny": ["203.0.113.9"]}, 403),
        ("64:ff9b::198.51.100.1", {"allow": ["203.0.113.0/24"]}, 403),
        ("2001:db8::1", {"deny": ["2001:db8::/32"]}, 403),
        ("198.51.100.1", {"allow": ["203.0.113.0/24", "2001:db8::/32"]}, 403),
        ("2001:db8::1", {"allow": ["203.0.113.0/24", "2001:db8::/32"]}, 200),
        ("203.0.113.9", {"allow": ["203.0.113.0/24"], "deny": ["203.0.113.9"]}, 403),
        ("203.0.113.8", {"allow": ["203.0.113.0/24"], "deny": ["203.0.113.9"]}, 200),
    ],
)
async def test_lists_let_in_and_keep_out(peer: str, limits: dict[str, list[str]], status: int) -> None:
    assert (await send_request(peer, **limits)).status_code == status


async def test_lists_are_about_the_caller_and_not_about_the_proxy() -> None:
    forwarded_for = [("x-forwarded-for", "203.0.113.9")]
    refused = await send_request("10.0.0.1", forwarded_for, trusted_proxies=PROXIES, deny=["203.0.113.0/24"])
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["address"] == "203.0.113.9"
    assert refused.json()["type"] == "/problems/forbidden"
    lies = await send_request(
        "203.0.113.9", [("x-forwarded-for", "198.51.100.1")], trusted_proxies=PROXIES, deny=["203.0.113.0/24"]
    )
    assert lies.status_code == 403


async def test_with_a_list_of_who_may_an_unknown_peer_may_not() -> None:
    assert (await send_request("", allow=["0.0.0.0/0", "::/0"])).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"), [("/live", 200), ("/ready", 200), ("/health", 200), ("/metrics", 403), ("/v2", 403)]
)
async def test_how_the_service_is_is_told_to_all(path: str, status: int) -> None:
    for lists in ({"allow": ["203.0.113.0/24"]}, {"deny": ["127.0.0.0/8"]}):
        assert (await send_request("127.0.0.1", path=path, **lists)).status_code == status
