"""Gets the public file of a day: with time limits, a size limit, and patience where asking again is safe."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType

import httpx

from aurum.common.resilience.retry import Retry
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import Forbidden, Invalid, NotFound, Unavailable, UnknownName
from aurum.core.names import nearest
from aurum.pipelines.fetch.atomic_write import landing
from aurum.pipelines.fetch.headers import file_name, last_modified, retry_after_s
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.source import Source

_ABSENT = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class NotPublished(NotFound):
    """The publisher has no file for that day. Facts: ``source``, ``dataset``, ``day``, ``url``."""


class NoPublicFile(NotFound):
    """The dataset has no public files by day. Facts: ``source``, ``dataset``."""


class FetchFailed(Unavailable):
    """The publisher does not answer, or not with a whole file. Facts: ``url``."""


class FetchRefused(Forbidden):
    """The publisher will not give the file, however often it is asked. Facts: ``url``."""


class TooLarge(Invalid):
    """More bytes than a file may have. Facts: ``url``."""


class _TryAgain(Exception):
    """A failure after which the same request may succeed. ``wait_s``: when its server says how long to wait."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often to try, and how much to take. Times in seconds.

    ``first_wait_s``: before the second of ``tries`` requests; it doubles, with jitter, up to ``longest_wait_s``, and a server
    that asks for more than that is left alone. ``silence_s``: between two pieces of an answer. ``whole_s``: for one answer.
    """

    tries: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    connect_s: float = 10.0
    silence_s: float = 60.0
    whole_s: float = 1800.0
    most_bytes: int = 2 << 30

    @property
    def patience(self) -> ResilienceSettings:
        """Patience with a publisher, who is slower than what AURUM_RESILIENCE__* is about."""
        return ResilienceSettings(
            retry_attempts=self.tries,
            retry_within_s=math.inf,
            retry_first_wait_s=self.first_wait_s,
            retry_most_wait_s=self.longest_wait_s,
            retry_jitter_s=self.first_wait_s,
        )


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on disk. ``available_at``: when its publisher made it available (``Last-Modified``), UTC."""

    path: Path
    url: str
    available_at: datetime | None

    @property
    def known_at(self) -> KnownAtPolicy:
        """What the file says of itself comes first; else when it was available."""
        if self.available_at is None:
            return KnownAtPolicy()
        return KnownAtPolicy(KnownAtBasis.AVAILABLE, self.available_at)


@dataclass(frozen=True, slots=True)
class _Wanted:
    source: str
    dataset: str
    day: date
    url: str


class Fetcher:
    """An HTTP client over a folder; use as an async context manager.

    ``address``: puts another address in the place of a published one (a mirror, a test's server). An address is asked once
    in the life of a fetcher: where one file holds all history, every day is in it.
    """

    def __init__(self, folder: Path, *, address: Callable[[str], str] = lambda url: url, limits: Limits | None = None) -> None:
        self._folder = folder
        self._address = address
        self._limits = limits or Limits()
        self._retry = Retry("publisher", self._limits.patience, on=(_TryAgain,), requested_wait_s=_requested_wait_s)
        self._fetched: dict[str, Fetched] = {}
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(self._limits.silence_s, connect=self._limits.connect_s),
            follow_redirects=True,
            headers={"User-Agent": "aurum/0.1 (market data ingestion)"},
        )

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def fetch(self, source: Source, dataset: str, day: date) -> Fetched:
        """The file of a local day, whole or not at all: ``<folder>/<source>/<dataset>/<day>/<its publisher's name for it>``.

        Days have folders of their own because some publishers call every day's file the same. Raises ``UnknownName``,
        ``NoPublicFile``, ``NotPublished``, ``FetchFailed``, ``FetchRefused``, ``TooLarge``, ``FolderUnusable``.
        """
        wanted = _Wanted(source.name, dataset, day, self._address(_published_at(source, dataset, day)))
        if wanted.url not in self._fetched:
            self._fetched[wanted.url] = await self._patiently(wanted)
        return self._fetched[wanted.url]

    async def _patiently(self, wanted: _Wanted) -> Fetched:
        try:
            async for attempt in self._retry.attempts():
                with attempt:
                    return await self._get(wanted)
        except _TryAgain as error:
            raise FetchFailed(f"{wanted.url}: {error}", retry_after=self._limits.longest_wait_s, url=wanted.url) from error
        raise AssertionError  # the last attempt answers or raises

    async def _get(self, wanted: _Wanted) -> Fetched:
        try:
            async with asyncio.timeout(self._limits.whole_s), self._client.stream("GET", wanted.url) as response:
                self._check(response, wanted)
                path = await self._save(response, wanted)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _TryAgain(f"{type(error).__name__} {error}".strip()) from error
        except httpx.TooManyRedirects as error:
            raise FetchRefused(f"{wanted.url}: redirected without end", url=wanted.url) from error
        except TimeoutError as error:
            raise FetchFailed(f"{wanted.url}: not whole after {self._limits.whole_s:g} s", url=wanted.url) from error
        return Fetched(path, wanted.url, last_modified(response))

    def _check(self, response: httpx.Response, wanted: _Wanted) -> None:
        status, url = response.status_code, wanted.url
        if status in _ABSENT:
            what = f"{wanted.source}:{wanted.dataset} has no file for {wanted.day} (yet)"
            raise NotPublished(what, source=wanted.source, dataset=wanted.dataset, day=str(wanted.day), url=url)
        if status in _PASSING or response.is_server_error:
            wait_s = retry_after_s(response)
            if wait_s is not None and wait_s > self._limits.longest_wait_s:
                raise FetchFailed(f"{url}: status {status}, asks to wait {wait_s:g} s", retry_after=wait_s, url=url)
            raise _TryAgain(f"status {status}", wait_s)
        if not response.is_success:
            raise FetchRefused(f"{url}: status {status}", url=url)

    async def _save(self, response: httpx.Response, wanted: _Wanted) -> Path:
        folder = self._folder / wanted.source / wanted.dataset / str(wanted.day)
        path = folder / file_name(response, wanted.url, otherwise=wanted.dataset)
        size = 0
        with landing(path) as file:
            async for piece in response.aiter_bytes():
                size += len(piece)
                if size > self._limits.most_bytes:
                    raise TooLarge(f"{wanted.url}: more than {self._limits.most_bytes:,} bytes", url=wanted.url)
                file.write(piece)
        return path


def _requested_wait_s(error: Exception) -> float | None:
    return error.wait_s if isinstance(error, _TryAgain) else None


def _published_at(source: Source, dataset: str, day: date) -> str:
    names = [one.name for one in source.datasets]
    if dataset not in names:
        raise UnknownName(f"dataset of {source.name}", dataset, nearest(dataset, names) or tuple(names))
    if dataset not in source.urls:
        raise NoPublicFile(f"{source.name}:{dataset} has no public files by day", source=source.name, dataset=dataset)
    return source.urls[dataset](day)
