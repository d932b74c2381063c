"""Change feed over notifications of PostgreSQL. Triggers notify in the transaction of a change, so no change is missed."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import asyncpg
import structlog

from aurum.common.settings import DatabaseSettings
from aurum.common.telemetry.untraced import untraced
from aurum.core.errors import Unavailable
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.postgres.connection.errors import DatabaseUnavailable, connecting, driver_errors

_CHANNEL = "aurum_changes"
_HEARTBEAT_S = 0.25
"""Interval of the queries to the server: the feed is complete up to the last answered one."""
_ANSWER_TIMEOUT_S = 0.75
_LONGEST_PAUSE_S = 1.0
_LONGEST_PAYLOAD = 7_900

# Identifies the cluster, its history (a restore or a promotion begins a new timeline) and the database. A standby reports the
# timeline that it follows.
_DATABASE = "SELECT oid::text FROM pg_database WHERE datname = current_database()"
_TIMELINE = f"""
SELECT format('%s-%s-%s', (SELECT system_identifier FROM pg_control_system()),
              CASE WHEN pg_is_in_recovery() THEN upper(lpad(to_hex((SELECT timeline_id FROM pg_control_checkpoint())), 8, '0'))
                   ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END,
              ({_DATABASE}))
"""  # noqa: S608 - a constant

_log = structlog.get_logger(__name__)


class PostgresChangeFeed:
    """``ChangeFeed`` over LISTEN, on a connection of its own. Create it with ``open``.

    The server sends pending notifications before it answers the next query on the same connection. So an answer means that
    every earlier change was delivered.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._listeners: list[Callable[[Change], None]] = []
        self._on_silence: list[Callable[[], None]] = []
        self._connection: asyncpg.Connection | None = None
        self._query_lock = asyncio.Lock()
        self._first_attempt = asyncio.Event()
        self._delivered_until = float("-inf")
        # Until the store reports its own: a name that no other process and no other store can have.
        self._timeline = f"unknown-{secrets.token_hex(8)}"

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: DatabaseSettings) -> AsyncGenerator[PostgresChangeFeed]:
        """Return a feed that listens within the block; it reconnects after interruptions of the server."""
        feed = cls(settings)
        with untraced():
            running = asyncio.create_task(feed._run())
        try:
            await feed._first_attempt.wait()
            yield feed
        finally:
            running.cancel()
            await asyncio.wait([running])
            await feed._drop()

    @property
    def delivered_until(self) -> float:
        return self._delivered_until

    @property
    def timeline(self) -> str:
        return self._timeline

    def listen(self, listener: Callable[[Change], None]) -> None:
        self._listeners.append(listener)

    def on_silence(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` whenever the server does not answer in time; a broken connection does not count as that."""
        self._on_silence.append(callback)

    async def catch_up(self) -> None:
        if self._connection is None:
            raise DatabaseUnavailable("the change feed is interrupted", retry_after=1.0)
        await self._query("SELECT 1")

    async def publish(self, change: Change) -> None:
        for payload in _payloads(change):
            await self._query("SELECT pg_notify($1, $2)", _CHANNEL, payload)

    async def _run(self) -> None:
        pause_s = 0.05
        while True:
            try:
                await self._connect()
                pause_s = 0.05
                while True:
                    await self.catch_up()
                    self._first_attempt.set()
                    await asyncio.sleep(_HEARTBEAT_S)
            except Unavailable as error:
                _log.warning("change feed interrupted", detail=error.detail)
                await self._drop()
                if isinstance(error.__cause__, TimeoutError):
                    for callback in self._on_silence:
                        callback()
                self._first_attempt.set()
            except Exception:  # noqa: BLE001 - without the feed all cached entries would stay stale for ever
                _log.exception("change feed failed")
                await self._drop()
                self._first_attempt.set()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _connect(self) -> None:
        with connecting(self._settings.url or ""):
            connection = await asyncpg.connect(
                self._settings.url,
                timeout=self._settings.connect_timeout_s,
                server_settings={"application_name": "aurum changes"},
            )
            try:
                self._timeline = await _timeline(connection)
                await connection.add_listener(_CHANNEL, self._on_notification)
            except BaseException:
                connection.terminate()
                raise
        self._connection = connection
        # Changes while the feed did not listen are unknown.
        self._deliver(Change(ChangeKind.EVERYTHING))

    async def _query(self, statement: str, *arguments: str) -> None:
        async with self._query_lock:
            # The query before this one may have ended the connection.
            connection = self._connection
            if connection is None:
                raise DatabaseUnavailable("the change feed is interrupted", retry_after=1.0)
            sent_at = time.monotonic()
            try:
                with driver_errors():
                    await connection.fetchval(statement, *arguments, timeout=_ANSWER_TIMEOUT_S)
            except Unavailable:
                # The next query must fail at once and not wait for the same silent server again.
                if self._connection is connection:
                    self._connection = None
                connection.terminate()
                raise
            self._delivered_until = sent_at

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def _on_notification(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        kind, _, names = str(payload).partition(":")
        # An unknown kind comes from a newer release. Any cached entry may be outdated by it.
        known_kind = ChangeKind(kind) if kind in list(ChangeKind) else ChangeKind.EVERYTHING
        self._deliver(Change(known_kind, tuple(names.split(",")) if names else ()))

    def _deliver(self, change: Change) -> None:
        for listener in self._listeners:
            listener(change)


async def _timeline(connection: asyncpg.Connection) -> str:
    try:
        return await connection.fetchval(_TIMELINE, timeout=_ANSWER_TIMEOUT_S)
    except asyncpg.PostgresError:
        # Some hosting providers forbid these functions. The id of the database still tells when it was created anew.
        return await connection.fetchval(_DATABASE, timeout=_ANSWER_TIMEOUT_S)


def _payloads(change: Change) -> list[str]:
    """Return the payloads of a change: several for many names, because a notification has at most 8,000 bytes."""
    payloads = [str(change.kind)]
    for name in change.names:
        if len(payloads[-1]) + len(name.encode()) > _LONGEST_PAYLOAD or payloads[-1] == change.kind:
            payloads.append(f"{change.kind}:{name}")
        else:
            payloads[-1] += f",{name}"
    return payloads[1:] or payloads
