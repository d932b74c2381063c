"""Requests addresses of Aurum's own API, so that their answers are in the cache before a user asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import httpx
from pydantic import SecretStr

from aurum.core.errors import Invalid

_WITHIN_S = 30.0


class WarmingFailed(Invalid):
    """Addresses of ``AURUM_SCHEDULE__WARM`` did not answer with 200. Facts: ``failed``, the reason by address."""


async def warm(urls: Sequence[str], key: SecretStr | None, *, progress: Callable[[int], Awaitable[None]]) -> None:
    """Request addresses, one after the other. ``key``: an API key; None for none. ``progress``: called with the number done.

    Raises ``WarmingFailed`` after the last one, when some did not answer with 200.
    """
    headers = {} if key is None else {"X-API-Key": key.get_secret_value()}
    failed: dict[str, str] = {}
    async with httpx.AsyncClient(headers=headers, timeout=_WITHIN_S) as client:
        for count, url in enumerate(urls):
            try:
                response = await client.get(url)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                failed[url] = f"{type(error).__name__} {error}".strip()
            else:
                if response.status_code != HTTPStatus.OK:
                    failed[url] = f"status {response.status_code}"
            await progress(count + 1)
    if failed:
        reasons = "; ".join(f"{url}: {reason}" for url, reason in failed.items())
        raise WarmingFailed(f"{len(failed)} of {len(urls)} addresses failed: {reasons}", failed=failed)
