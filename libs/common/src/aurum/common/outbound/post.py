"""One POST to an address that a user has named: no redirect is followed, no proxy is used, and little of the answer is read."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import httpcore

from aurum.common.outbound.errors import InvalidAddress, NoAnswer
from aurum.common.outbound.network import AllowedTargets, CheckedNetwork, Lookup, system_lookup

_MOST_BYTES = 2048
"""Bytes of an answer that are read, for the log of deliveries."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. ``milliseconds``: from the start of the connection to the head. ``excerpt``: the beginning of its text."""

    status: int
    milliseconds: float
    excerpt: str


def check_url(url: str) -> None:
    """Raise ``InvalidAddress`` unless a URL is an http or https address with a host, without credentials or a fragment."""
    # Parsed by the library that sends the request: two parsers that disagree would let one address pass for another.
    try:
        parsed = httpcore.URL(url)
        scheme, host = parsed.scheme.decode("ascii"), parsed.host.decode("ascii")
        _ = parsed.port
    except (ValueError, TypeError) as error:
        raise InvalidAddress(f"{url!r} is not an address: write https://host/path") from error
    authority = url.partition("://")[2].partition("/")[0]
    if scheme not in ("http", "https") or not host or "@" in authority or "#" in url or url != url.strip():
        raise InvalidAddress(f"{url!r} is not accepted: write https://host/path, without user, password or #")


class Poster:
    """Sends requests, each over a connection of its own. ``whole_s``: longest time for one request and its answer."""

    def __init__(self, allowed: AllowedTargets, *, whole_s: float = 15.0, lookup: Lookup = system_lookup) -> None:
        self._network = CheckedNetwork(allowed, lookup)
        self._whole_s = whole_s

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made once: to read the certificates of all authorities takes tens of milliseconds."""
        return ssl.create_default_context()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body and return the answer, whatever its status.

        Raises ``AddressRefused``, ``InvalidAddress``, ``NoAnswer``.
        """
        check_url(url)
        began = time.perf_counter()
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._whole_s)
        try:
            async with (
                asyncio.timeout(self._whole_s),
                httpcore.AsyncConnectionPool(
                    ssl_context=self._tls, network_backend=self._network, max_keepalive_connections=0
                ) as pool,
                pool.stream(
                    "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": timeouts}
                ) as response,
            ):
                milliseconds = (time.perf_counter() - began) * 1000
                return Answer(response.status, milliseconds, await _beginning(response))
        except TimeoutError as error:
            raise NoAnswer(f"no complete answer within {self._whole_s:g} s") from error
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            raise NoAnswer(f"no answer: {type(error).__name__} {error}".strip()) from error


async def _beginning(response: httpcore.Response) -> str:
    content = bytearray()
    async for piece in response.aiter_stream():
        content += piece
        if len(content) >= _MOST_BYTES:
            break
    return content[:_MOST_BYTES].decode(errors="replace")
