"""The typed part of clickhouse-connect that Aurum uses: a client over HTTP, and one that is the embedded engine."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol, cast

from clickhouse_connect.driver import create_client  # pyright: ignore[reportUnknownVariableType]

from aurum.common.settings import ClickhouseSettings

_MARGIN_S = 5
"""Seconds that a thread waits longer than the server may take, so that it ends even if the server never answers."""


class Client(Protocol):
    """One connection, for one thread at a time. Parameters are bound by the server, as ``{name:Type}`` in the text."""

    database: str | None

    def raw_query(self, query: str, parameters: dict[str, object], *, settings: dict[str, object], fmt: str) -> bytes:
        """Return the answer as bytes in ``fmt``, a format of ClickHouse."""
        ...

    def raw_insert(
        self, table: str, column_names: list[str], insert_block: bytes, *, settings: dict[str, object], fmt: str
    ) -> object:
        """Insert rows that are encoded in such a format."""
        ...

    def command(self, cmd: str, parameters: dict[str, object], *, settings: dict[str, object]) -> object:
        """Run a statement whose answer is one value or nothing."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def connect(settings: ClickhouseSettings, patience_s: float) -> Client:
    """Return a new client. ``patience_s``: seconds that the server may take to answer."""
    return _embedded(settings.folder) if settings.folder is not None else _remote(settings, patience_s)


def _embedded(folder: Path) -> Client:
    folder.mkdir(parents=True, exist_ok=True)
    return cast(Client, create_client(interface="chdb", path=str(folder)))


def _remote(settings: ClickhouseSettings, patience_s: float) -> Client:
    assert settings.url is not None
    client = create_client(
        dsn=settings.url.get_secret_value(),
        client_name="aurum",
        connect_timeout=math.ceil(settings.connect_timeout_s),
        send_receive_timeout=math.ceil(patience_s) + _MARGIN_S,
        query_retries=0,
        # Threads share no client, so no session is needed to keep their queries apart.
        autogenerate_session_id=False,
        dedicated_pool=True,
    )
    return cast(Client, client)
