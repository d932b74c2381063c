"""Requests to addresses that users name reach public networks only."""

from __future__ import annotations

import ipaddress

import pytest

from aurum.common.outbound.errors import AddressRefused, InvalidAddress, NoAnswer
from aurum.common.outbound.network import AllowedTargets, is_public
from aurum.common.outbound.post import Poster, check_url


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.9",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "::7f00:1",
        "fe80::1%eth0",
    ],
)
async def test_a_name_that_leads_to_an_address_that_is_not_public_is_refused(text: str) -> None:
    async def lookup(_host: str, _port: int) -> list[str]:
        return ["93.184.215.14", text]

    with pytest.raises(AddressRefused):
        await Poster(AllowedTargets(), lookup=lookup).post("http://receiver.example/hook", b"{}", {})


@pytest.mark.parametrize("text", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_allowed(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))
    assert AllowedTargets().allows("receiver.example", ipaddress.ip_address(text))


@pytest.mark.parametrize("entry", ["receiver.internal", "10.0.0.0/8", "10.1.2.3"])
def test_settings_allow_hosts_addresses_and_networks(entry: str) -> None:
    allowed = AllowedTargets.of([entry])

    assert allowed.allows("Receiver.Internal.", ipaddress.ip_address("10.1.2.3"))
    assert not allowed.allows("other.internal", ipaddress.ip_address("192.168.0.1"))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://receiver.example/",
        "file:///etc/passwd",
        "https://",
        "receiver.example/hook",
        "https://user:password@receiver.example/",
        "https://receiver.example/#part",
        " https://receiver.example/",
        "https://receiver.example:notaport/",
        "https://bücher.example/",
        "",
    ],
)
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(InvalidAddress):
        check_url(url)


async def test_an_unknown_host_is_no_answer() -> None:
    async def lookup(_host: str, _port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(NoAnswer, match=r"receiver\.example"):
        await Poster(AllowedTargets(), lookup=lookup).post("http://receiver.example/", b"", {})
