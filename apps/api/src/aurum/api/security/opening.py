"""The verifier of tokens, made from settings."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from aurum.common.resilience.guards import Guards
from aurum.common.settings import Settings

if TYPE_CHECKING:
    from aurum.api.security.tokens import TokenVerifier


async def open_tokens(settings: Settings, stack: AsyncExitStack) -> tuple[TokenVerifier | None, Guards]:
    """Return the verifier of tokens, if settings name an issuer, and the guards of its calls. ``stack`` closes its client."""
    if settings.access.issuer is None:
        return None, Guards()
    import httpx  # 12 MB with the libraries for tokens, only where there is an issuer

    from aurum.api.security.tokens import IssuerProtection, TokenVerifier

    protection = IssuerProtection(settings.resilience)
    client = httpx.AsyncClient(trust_env=False, timeout=settings.resilience.http_timeout_s)
    await stack.enter_async_context(client)
    return TokenVerifier(settings.access, client, protection), protection.guards
