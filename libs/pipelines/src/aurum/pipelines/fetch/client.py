"""The HTTP client that downloads the public file of a day, with time limits, a size limit and retries of safe requests."""

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
from aurum.pipelines.fetch.atomic_write import atomic_write
from aurum.pipelines.fetch.headers import file_name, last_modified, retry_after_s
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.source import Source

_ABSENT = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class NotPublished(NotFound):
    """The publisher has no file for that day. Facts: ``source``, ``dataset``, ``day``, ``url``."""


class NoPublicFile(NotFound):
    """A dataset whose publisher has no public file for each day. Facts: ``source``, ``dataset``."""


class FetchFailed(Unavailable):
    """The publisher does not answer, or does not send a complete file. Facts: ``url``."""


class FetchRefused(Forbidden):
    """The publisher refuses the file, and a retry cannot change that. Facts: ``url``."""


class TooLarge(Invalid):
    """A file larger than the limit. Facts: ``url``."""


class _Retryable(Exception):
    """A failure after which the same request may succeed. ``wait_s``: the wait the server requests, in seconds, if any."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """Limits of a download: times in seconds, the number of requests, the size of the file.

    ``first_wait_s``: wait before the second of ``tries`` requests; it doubles, with jitter, up to ``longest_wait_s``. When a
    server asks for a longer wait than that, the download fails at once. ``silence_s``: longest time between two pieces of a
    response. ``whole_s``: longest time for a whole response.
    """

    tries: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    connect_s: float = 10.0
    silence_s: float = 60.0
    whole_s: float = 1800.0
    most_bytes: int = 2 << 30

    @property
    def retries(self) -> ResilienceSettings:
        """Retry settings for publishers, which are slower than the services that AURUM_RESILIENCE__* is for."""
        return ResilienceSettings(
            retry_attempts=self.tries,
            retry_within_s=math.inf,
            retry_first_wait_s=self.first_wait_s,
            retry_most_wait_s=self.longest_wait_s,
            retry_jitter_s=self.first_wait_s,
        )


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A downloaded file. ``available_at``: when its publisher made it available (``Last-Modified``), UTC."""

    path: Path
    url: str
    available_at: datetime | None

    @property
    def known_at(self) -> KnownAtPolicy:
        """The policy that uses the publication time in the file, and where there is none the time it became available."""
        if self.available_at is None:
            return KnownAtPolicy()
        return KnownAtPolicy(KnownAtBasis.AVAILABLE, self.available_at)


@dataclass(frozen=True, slots=True)
class _Request:
    source: str
    dataset: str
    day: date
    url: str


class Fetcher:
    """An HTTP client that downloads into a folder; use as an async context manager.

    ``address``: returns the address to use for a published one (a mirror, a test's server). A fetcher requests an address
    once only: where one file holds the whole history, every day has the same address.
    """

    def __init__(
        self, folder: Path, *, address: Callable[[str], str] = lambda url: url, limits: DownloadLimits | None = None
    ) -> None:
        self._folder = folder
        self._address = address
        self._limits = limits or DownloadLimits()
        self._retry = Retry("publisher", self._limits.retries, on=(_Retryable,), requested_wait_s=_requested_wait_s)
        self._fetched: dict[str, FetchedFile] = {}
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

    async def fetch(self, source: Source, dataset: str, day: date) -> FetchedFile:
        """Download the file of a local day to ``<folder>/<source>/<dataset>/<day>/<the publisher's file name>``.

        The file appears complete or not at all. Each day has its own folder because some publishers use one file name for all
        days. Raises ``UnknownName``, ``NoPublicFile``, ``NotPublished``, ``FetchFailed``, ``FetchRefused``, ``TooLarge``,
        ``FolderUnusable``.
        """
        request = _Request(source.name, dataset, day, self._address(_public_url(source, dataset, day)))
        if request.url not in self._fetched:
            self._fetched[request.url] = await self._get_with_retries(request)
        return self._fetched[request.url]

    async def _get_with_retries(self, request: _Request) -> FetchedFile:
        try:
            async for attempt in self._retry.attempts():
                with attempt:
                    return await self._get(request)
        except _Retryable as error:
            raise FetchFailed(f"{request.url}: {error}", retry_after=self._limits.longest_wait_s, url=request.url) from error
        raise AssertionError  # unreachable: the last attempt returns or raises

    async def _get(self, request: _Request) -> FetchedFile:
        try:
            async with asyncio.timeout(self._limits.whole_s), self._client.stream("GET", request.url) as response:
                self._check(response, request)
                path = await self._save(response, request)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _Retryable(f"{type(error).__name__} {error}".strip()) from error
        except httpx.TooManyRedirects as error:
            raise FetchRefused(f"{request.url}: too many redirects", url=request.url) from error
        except TimeoutError as error:
            raise FetchFailed(f"{request.url}: not complete after {self._limits.whole_s:g} s", url=request.url) from error
        return FetchedFile(path, request.url, last_modified(response))

    def _check(self, response: httpx.Response, request: _Request) -> None:
        status, url = response.status_code, request.url
        if status in _ABSENT:
            detail = f"{request.source}:{request.dataset} has no file for {request.day} (yet)"
            raise NotPublished(detail, source=request.source, dataset=request.dataset, day=str(request.day), url=url)
        if status in _TRANSIENT or response.is_server_error:
            wait_s = retry_after_s(response)
            if wait_s is not None and wait_s > self._limits.longest_wait_s:
                raise FetchFailed(f"{url}: status {status}, the server asks to wait {wait_s:g} s", retry_after=wait_s, url=url)
            raise _Retryable(f"status {status}", wait_s)
        if not response.is_success:
            raise FetchRefused(f"{url}: the publisher refused the request with status {status}", url=url)

    async def _save(self, response: httpx.Response, request: _Request) -> Path:
        folder = self._folder / request.source / request.dataset / str(request.day)
        path = folder / file_name(response, request.url, otherwise=request.dataset)
        size = 0
        with atomic_write(path) as file:
            async for piece in response.aiter_bytes():
                size += len(piece)
                if size > self._limits.most_bytes:
                    raise TooLarge(
                        f"{request.url}: larger than the limit of {self._limits.most_bytes:,} bytes", url=request.url
                    )
                file.write(piece)
        return path


def _requested_wait_s(error: Exception) -> float | None:
    return error.wait_s if isinstance(error, _Retryable) else None


def _public_url(source: Source, dataset: str, day: date) -> str:
    names = [entry.name for entry in source.datasets]
    if dataset not in names:
        raise UnknownName(f"dataset of {source.name}", dataset, nearest(dataset, names) or tuple(names))
    if dataset not in source.urls:
        with_files = ", ".join(sorted(source.urls)) or "none"
        raise NoPublicFile(
            f"dataset {source.name}:{dataset} has no public daily files: ingest a file of it; "
            f"datasets of {source.name} with daily files: {with_files}",
            source=source.name,
            dataset=dataset,
        )
    return source.urls[dataset](day)
