"""Gets the public file of a day: with time limits, a size limit, and patience where asking again is safe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import NotFound, Unavailable, UnknownName
from aurum.core.names import nearest
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.source import Source

_MOST_BYTES = 2 << 30
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_TRIES = 5


class NotPublished(NotFound):
    """The publisher has no file for that day. Facts: ``source``, ``dataset``, ``day``, ``url``."""


class NoPublicFile(NotFound):
    """The dataset has no public files by day. Facts: ``source``, ``dataset``."""


class FetchFailed(Unavailable):
    """The publisher does not answer, or not with a file. Facts: ``url``."""


class _TryAgain(Exception):
    """A failure after which the same request may succeed. ``wait_s``: when its server says how long to wait."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


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


class Fetcher:
    """An HTTP client over a folder; use as an async context manager.

    ``address``: puts another address in the place of a published one (a mirror, a test's server). ``wait_s``: the first
    pause before a second try; it doubles, with jitter, up to a minute.
    """

    def __init__(self, folder: Path, *, address: Callable[[str], str] = lambda url: url, wait_s: float = 1.0) -> None:
        self._folder = folder
        self._address = address
        self._wait_s = wait_s
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT, follow_redirects=True, headers={"User-Agent": "aurum/0.1 (market data ingestion)"}
        )

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def fetch(self, source: Source, dataset: str, day: date) -> Fetched:
        """The file of a local day, whole or not at all, under its publisher's name.

        Raises ``UnknownName``, ``NoPublicFile``, ``NotPublished``, ``FetchFailed``.
        """
        names = [one.name for one in source.datasets]
        if dataset not in names:
            raise UnknownName(f"dataset of {source.name}", dataset, nearest(dataset, names) or tuple(names))
        if dataset not in source.urls:
            raise NoPublicFile(f"{source.name}:{dataset} has no public files by day", source=source.name, dataset=dataset)
        url = self._address(source.urls[dataset](day))
        attempts = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            retry=retry_if_exception_type(_TryAgain),
            wait=self._pause,
            reraise=True,
        )
        try:
            return await attempts(self._get, url, source.name, dataset, day)
        except _TryAgain as error:
            raise FetchFailed(f"{url}: {error}", retry_after=60.0, url=url) from error

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, _TryAgain) and error.wait_s is not None:
            return min(error.wait_s, 60.0)
        return wait_exponential_jitter(multiplier=self._wait_s, max=60.0, jitter=self._wait_s)(state)

    async def _get(self, url: str, source: str, dataset: str, day: date) -> Fetched:
        try:
            async with self._client.stream("GET", url) as response:
                _check(response, url, source, dataset, day)
                path = await self._save(response, url)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _TryAgain(f"{type(error).__name__} {error}".strip()) from error
        return Fetched(path, url, _last_modified(response))

    async def _save(self, response: httpx.Response, url: str) -> Path:
        path = self._folder / (_file_name(response, url))
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".part")
        size = 0
        try:
            with partial.open("wb") as file:
                async for chunk in response.aiter_bytes():
                    size += len(chunk)
                    if size > _MOST_BYTES:
                        raise FetchFailed(f"{url}: more than {_MOST_BYTES >> 20} MiB", url=url)
                    file.write(chunk)
            return partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _check(response: httpx.Response, url: str, source: str, dataset: str, day: date) -> None:
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise NotPublished(
            f"{source}:{dataset} has no file for {day} (yet)", source=source, dataset=dataset, day=str(day), url=url
        )
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS or response.is_server_error:
        raise _TryAgain(f"status {response.status_code}", _retry_after(response))
    if not response.is_success:
        raise FetchFailed(f"{url}: status {response.status_code}", url=url)


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdigit() else None


def _last_modified(response: httpx.Response) -> datetime | None:
    text = response.headers.get("last-modified")
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def _file_name(response: httpx.Response, url: str) -> str:
    given = response.headers.get("content-disposition", "")
    _, found, name = given.partition("filename=")
    return Path(name.strip('"; ') if found else unquote(urlsplit(url).path)).name or "download"
