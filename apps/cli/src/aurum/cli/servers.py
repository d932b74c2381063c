"""The embedded servers that ``aurum up`` starts where the settings name none."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from aurum.common.settings import Settings
from aurum.storage.embedded import EmbeddedPostgres, EmbeddedValkey


@dataclass(frozen=True, slots=True)
class Server:
    """An embedded server, as the supervisor sees it."""

    role: str
    server: EmbeddedPostgres | EmbeddedValkey
    is_needed: bool = True

    def ended(self) -> str | None:
        """Return how the server has ended; None while it runs."""
        return "it does not run any more" if self.server.has_ended else None

    def start_again(self) -> None:
        """Start the server after it has ended. Raises ``Unavailable``."""
        self.server.start_again()


def start_servers(settings: Settings, stack: ExitStack) -> tuple[str, str, list[Server]]:
    """Start the servers that the settings do not name. Return the URLs of PostgreSQL and Valkey, and the started servers.

    They stop when the stack closes.
    """
    servers: list[Server] = []
    database, redis = settings.database.url, settings.redis.url
    if database is None:
        postgres = stack.enter_context(EmbeddedPostgres(settings.data_dir))
        servers.append(Server("PostgreSQL", postgres))
        database = postgres.url
    if redis is None:
        valkey = stack.enter_context(EmbeddedValkey(settings.data_dir))
        servers.append(Server("Valkey", valkey))
        redis = valkey.url
    return database, redis, servers


def servers_in_use(settings: Settings) -> str:
    """Return a line about the servers in use: embedded, or named by a setting."""
    postgres = "embedded" if settings.database.url is None else "the server of AURUM_DATABASE__URL"
    valkey = "embedded" if settings.redis.url is None else "the server of AURUM_REDIS__URL"
    return f"PostgreSQL: {postgres}; Valkey: {valkey}"
