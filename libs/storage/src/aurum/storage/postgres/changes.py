"""Changes as PostgreSQL tells of them: triggers notify in the transaction that changes, so nothing committed goes untold."""

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
from aurum.storage.postgres.connection.errors import DatabaseUnavailable, driver_errors

_CHANNEL = "aurum_changes"
_BEAT_S = 0.25
"""The feed asks the server for a sign of life so often: what was told is known to be complete up to the last one."""
_PATIENCE_S = 0.75
_LONGEST_PAUSE_S = 1.0
_LONGEST_PAYLOAD = 7_900

# Of the cluster, of its history (a restore or a promotion begins a new timeline), and of the database. A standby tells the
# timeline it follows.
_DATABASE = "SELECT oid::text FROM pg_database WHERE datname = current_database()"
_TIMELINE = f"""
SELECT format('%s-%s-%s', (SELECT system_identifier FROM pg_control_system()),
              CASE WHEN pg_is_in_recovery() THEN upper(lpad(to_hex((SELECT timeline_id FROM pg_control_checkpoint())), 8, '0'))
                   ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END,
              ({_DATABASE}))
"""  # noqa: S608 - a constant

_log = structlog.get_logger(__name__)


class PostgresChangeFeed:
    """``ChangeFeed`` over LISTEN, on a connection of its own. Make it with ``open``.

    The server sends what was notified before it answers the next question on the same connection, so an answer means that
    all before it was told.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._told: list[Callable[[Change], None]] = []
        self._silent: list[Callable[[], None]] = []
        self._connection: asyncpg.Connection | None = None
        self._asking = asyncio.Lock()
        self._tried = asyncio.Event()
        self._told_until = float("-inf")
        # Until the store says its own: one that no other process, and no other store, can have.
        self._timeline = f"unknown-{secrets.token_hex(8)}"

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: DatabaseSettings) -> AsyncGenerator[PostgresChangeFeed]:
        """A feed that listens for the length of the block, through interruptions of the server too."""
        feed = cls(settings)
        with untraced():
            running = asyncio.create_task(feed._run())
        try:
            await feed._tried.wait()
            yield feed
        finally:
            running.cancel()
            await asyncio.wait([running])
            await feed._drop()

    @property
    def told_until(self) -> float:
        return self._told_until

    @property
    def timeline(self) -> str:
        return self._timeline

    def listen(self, told: Callable[[Change], None]) -> None:
        self._told.append(told)

    def when_silent(self, do: Callable[[], None]) -> None:
        """Call ``do`` whenever the server has not answered in time; a broken connection is no sign of that."""
        self._silent.append(do)

    async def catch_up(self) -> None:
        if self._connection is None:
            raise DatabaseUnavailable("the change feed is interrupted", retry_after=1.0)
        await self._ask("SELECT 1")

    async def tell(self, change: Change) -> None:
        for payload in _payloads(change):
            await self._ask("SELECT pg_notify($1, $2)", _CHANNEL, payload)

    async def _run(self) -> None:
        pause_s = 0.05
        while True:
            try:
                await self._connect()
                pause_s = 0.05
                while True:
                    await self.catch_up()
                    self._tried.set()
                    await asyncio.sleep(_BEAT_S)
            except Unavailable as error:
                _log.warning("change feed interrupted", detail=error.detail)
                await self._drop()
                if isinstance(error.__cause__, TimeoutError):
                    for do in self._silent:
                        do()
                self._tried.set()
            except Exception:  # noqa: BLE001 - a feed that has ended would leave everything that is kept stale for ever
                _log.exception("change feed broke")
                await self._drop()
                self._tried.set()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _connect(self) -> None:
        with driver_errors():
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
        # What happened while nobody listened is unknown.
        self._tell_here(Change(ChangeKind.EVERYTHING))

    async def _ask(self, statement: str, *arguments: str) -> None:
        async with self._asking:
            # It may have been given up while others were asking.
            connection = self._connection
            if connection is None:
                raise DatabaseUnavailable("the change feed is interrupted", retry_after=1.0)
            asked = time.monotonic()
            try:
                with driver_errors():
                    await connection.fetchval(statement, *arguments, timeout=_PATIENCE_S)
            except Unavailable:
                # Whoever asks next is told so at once, and does not wait as long again for the same silence.
                if self._connection is connection:
                    self._connection = None
                connection.terminate()
                raise
            self._told_until = asked

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def _on_notification(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        kind, _, names = str(payload).partition(":")
        # A kind this version does not know was made by a newer one: whatever it means, what is kept may be wrong.
        known = ChangeKind(kind) if kind in list(ChangeKind) else ChangeKind.EVERYTHING
        self._tell_here(Change(known, tuple(names.split(",")) if names else ()))

    def _tell_here(self, change: Change) -> None:
        for told in self._told:
            told(change)


async def _timeline(connection: asyncpg.Connection) -> str:
    try:
        return await connection.fetchval(_TIMELINE, timeout=_PATIENCE_S)
    except asyncpg.PostgresError:
        # Some who rent servers out keep these functions to themselves; that a database was made anew is known to all.
        return await connection.fetchval(_DATABASE, timeout=_PATIENCE_S)


def _payloads(change: Change) -> list[str]:
    """As many notifications as the names need: one holds 8,000 bytes at most."""
    payloads = [str(change.kind)]
    for name in change.names:
        if len(payloads[-1]) + len(name.encode()) > _LONGEST_PAYLOAD or payloads[-1] == change.kind:
            payloads.append(f"{change.kind}:{name}")
        else:
            payloads[-1] += f",{name}"
    return payloads[1:] or payloads
