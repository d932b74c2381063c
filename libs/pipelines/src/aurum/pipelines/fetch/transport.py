"""The HTTP transport of downloads: adds the credential at the last moment, and uses the proxy of the settings.

Above this transport no request holds a key: not its address, not what httpx logs or raises, not a span of OpenTelemetry.
"""

from __future__ import annotations

from urllib.parse import quote
from urllib.request import getproxies, proxy_bypass

import httpx

from aurum.common.telemetry.untraced import without_http_spans
from aurum.pipelines.fetch.credentials import Keys
from aurum.pipelines.public_files import Credential

CREDENTIAL = "aurum.credential"
"""Name of the request extension that holds the ``Credential`` to add."""


class PublisherTransport(httpx.AsyncBaseTransport):
    """``proxy``: the address of a proxy; None for that of ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``."""

    def __init__(self, keys: Keys, proxy: str | None = None) -> None:
        self._keys = keys
        self._proxy = proxy
        self._transports: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport = self._transport(request.url)
        credential = request.extensions.get(CREDENTIAL)
        if not isinstance(credential, Credential):
            return await transport.handle_async_request(request)
        with without_http_spans():
            return await transport.handle_async_request(self._with_key(request, credential))

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()

    def _with_key(self, request: httpx.Request, credential: Credential) -> httpx.Request:
        key = self._keys.key(credential)
        headers, url = httpx.Headers(request.headers), request.url
        if credential.header:
            headers[credential.header] = key
        else:
            addition = f"{credential.parameter}={quote(key, safe='')}".encode()
            url = url.copy_with(query=b"&".join(part for part in (url.query, addition) if part))
        extensions = {name: value for name, value in request.extensions.items() if name != CREDENTIAL}
        return httpx.Request(request.method, url, headers=headers, extensions=extensions)

    def _transport(self, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        proxy = self._proxy
        if proxy is None and not proxy_bypass(url.host):
            named = getproxies()
            proxy = named.get(url.scheme) or named.get("all")
        if proxy not in self._transports:
            self._transports[proxy] = httpx.AsyncHTTPTransport(proxy=proxy)
        return self._transports[proxy]
