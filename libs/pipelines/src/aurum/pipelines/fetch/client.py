"""The HTTP client that downloads public files, politely: with turns, limits, retries of safe requests and hidden keys."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import httpx

from aurum.common.addresses import parse_address
from aurum.common.outbound.network import AllowedTargets, system_lookup
from aurum.common.resilience.retry import Retry
from aurum.common.settings import FetchSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.pipelines.fetch.answers import EDGE, Sample, content_at, problem_of, reason_in
from aurum.pipelines.fetch.atomic_write import atomic_write
from aurum.pipelines.fetch.credentials import Keys
from aurum.pipelines.fetch.errors import (
    FetchFailed,
    FetchRefused,
    NotData,
    NotModified,
    NotPublished,
    RetryableFailure,
    TooLarge,
)
from aurum.pipelines.fetch.headers import file_name, last_modified, retry_after_s
from aurum.pipelines.fetch.transport import CREDENTIAL, PublisherTransport
from aurum.pipelines.fetch.turns import Turns
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.public_files import Granularity, Problem, Publication, PublicFiles, Request

T = TypeVar("T")

_ABSENT = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_PUBLIC_ONLY = AllowedTargets()
_MOST_REDIRECTS = 5
_MOST_PAGES = 10_000
_MOST_IN_MEMORY = 512 << 20
"""Largest answer, all pages together, that is read into memory: those that are joined, or searched for a key."""


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
class Validators:
    """The version of a file that was loaded, as its server named it, for a request that only a newer one answers."""

    url: str
    etag: str = ""
    modified: str = ""

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the headers of a conditional request; empty for another address."""
        if url != self.url:
            return {}
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A downloaded file. ``url``: without its key. ``available_at``: when its publisher made it available, UTC.

    ``is_of_a_day``: it holds a single day, so that this time is a publication time; that of an archive or a history is only an
    upper bound. ``validators``: what its server said of it. ``digest``: SHA-256 of the content, hexadecimal.
    """

    path: Path
    url: str
    available_at: datetime | None
    is_of_a_day: bool = True
    validators: Validators | None = None
    digest: str = ""

    @property
    def known_at(self) -> KnownAtPolicy:
        """The policy that uses the publication time in the file, and where there is none the time it became available."""
        return KnownAtPolicy(available_at=self.available_at, is_fetched=True, is_bound=not self.is_of_a_day)


@dataclass(frozen=True, slots=True)
class _Job:
    """The publication that requests are made for. ``names``: file names in its folder that are in use."""

    source: str
    dataset: str
    files: PublicFiles
    publication: Publication
    known: Validators | None
    names: set[str] = field(default_factory=set[str])

    @property
    def subject(self) -> str:
        return f"{self.source}:{self.dataset}"


@dataclass(frozen=True, slots=True)
class _Hop:
    """One address on the way to a file. ``pinned``: the public address of a redirect's host, to which the hop connects."""

    url: httpx.URL
    has_credential: bool
    pinned: str = ""


class Fetcher:
    """An HTTP client that downloads into a folder; use as an async context manager.

    ``turns``: shared by all fetchers of a machine. ``address``: returns the address to use for a published one (a mirror, a
    test's server).
    """

    def __init__(
        self,
        folder: Path,
        settings: FetchSettings,
        turns: Turns,
        *,
        address: Callable[[str], str] = lambda url: url,
        limits: DownloadLimits | None = None,
    ) -> None:
        self._folder = folder
        self._keys = Keys(settings)
        self._turns = turns
        self._address = address
        self._allow_private = settings.allow_private
        self._limits = limits or DownloadLimits(tries=settings.tries, whole_s=settings.whole_s)
        self._retry = Retry("publisher", self._limits.retries, on=(RetryableFailure,), requested_wait_s=_requested_wait_s)
        proxy = settings.proxy.get_secret_value() if settings.proxy is not None else None
        self._client = httpx.AsyncClient(
            transport=PublisherTransport(self._keys, proxy),
            timeout=httpx.Timeout(self._limits.silence_s, connect=self._limits.connect_s),
            follow_redirects=False,
            headers={"User-Agent": "aurum/0.1 (market data ingestion)"},
        )

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    @property
    def keys(self) -> Keys:
        """The keys and tokens of this process."""
        return self._keys

    async def fetch(
        self, source: str, dataset: str, files: PublicFiles, publication: Publication, *, known: Validators | None = None
    ) -> tuple[FetchedFile, ...]:
        """Download the files of a publication to ``<folder>/<source>/<dataset>/<span>/``.

        A file appears complete or not at all. Each publication has its own folder because some publishers use one file name for
        all days. Parts that are not published are left out. ``known``: of the file that was loaded last.

        Raises ``NotPublished`` if no part is, ``NotModified`` if the publisher has nothing newer than ``known``,
        ``MissingCredential``, ``FetchFailed``, ``FetchRefused``, ``TooLarge``, ``FolderUnusable``.
        """
        if files.needs is not None:
            self._keys.key(files.needs)  # before the first request, and in a message that says where to request one
        job = _Job(source, dataset, files, publication, known)
        fetched: list[FetchedFile] = []
        for request in publication.requests:
            try:
                fetched += await self._files(job, request)
            except NotPublished:
                if len(publication.requests) == 1:
                    raise
        if not fetched:
            raise _absent(job, publication.requests[0].url if publication.requests else "")
        return tuple(fetched)

    async def _files(self, job: _Job, request: Request) -> list[FetchedFile]:
        if request.listing is not None:
            content, _ = await self._get(job, request.url, self._in_memory(job, request.url))
            with _malformed(request.url):
                listed = request.listing(content)
            if not listed:
                raise _absent(job, request.url)
            return [file for each in listed for file in await self._files(job, each)]
        if request.pages is not None:
            # Pages that do not fit together, because the data changed meanwhile, are requested again from the first.
            return [await self._tried(request.url, lambda: self._pages(job, request))]
        return [await self._get(job, request.url, self._saved(job, request), job.known)]

    async def _pages(self, job: _Job, request: Request) -> FetchedFile:
        pages, most = request.pages, min(_MOST_IN_MEMORY, self._limits.most_bytes)
        assert pages is not None
        parts: list[bytes] = []
        rows = 0
        with _malformed(request.url):
            while True:
                url = pages.address(request.url, rows)
                part, response = await self._get(job, url, self._in_memory(job, url))
                count, total = pages.count(part), pages.total(part)
                rows += count
                parts.append(part)
                if sum(map(len, parts)) > most or len(parts) > _MOST_PAGES:
                    raise _too_large(request.url, most)
                if count < pages.size or (total is not None and rows >= total):
                    break
            if rows == 0:
                raise _absent(job, request.url)
            if total is not None and rows != total:
                raise RetryableFailure(f"the pages hold {rows} of {total} rows")
            whole = pages.join(parts)
        return self._written(job, request, response, whole)

    async def _get(
        self, job: _Job, url: str, read: Callable[[httpx.Response], Awaitable[T]], known: Validators | None = None
    ) -> T:
        """Request an address and return what ``read`` returns of its answer, after as many tries as the limits allow."""
        return await self._tried(url, lambda: self._once(job, url, read, known))

    async def _tried(self, url: str, work: Callable[[], Awaitable[T]]) -> T:
        try:
            async for attempt in self._retry.attempts():
                with attempt:
                    return await work()
        except RetryableFailure as error:
            raise FetchFailed(f"{url}: {error}", retry_after=self._limits.longest_wait_s, url=url) from error
        raise AssertionError  # unreachable: the last attempt returns or raises

    async def _once(self, job: _Job, url: str, read: Callable[[httpx.Response], Awaitable[T]], known: Validators | None) -> T:
        host = httpx.URL(url).host
        held_s = self._turns.held_s(host)
        if held_s > self._limits.longest_wait_s:
            # To sleep so long would occupy a worker.
            raise FetchFailed(f"{url}: {host} asked to wait {held_s:.0f} s more", retry_after=held_s, url=url)
        await self._turns.turn(host)
        try:
            async with asyncio.timeout(self._limits.whole_s), self._answer(job, url, known) as response:
                await self._check_status(job, url, response)
                return await read(response)
        except (httpx.TransportError, httpx.DecodingError) as error:
            # Without the chained error, whose request and text are not searched for keys.
            raise RetryableFailure(self._keys.hide(f"{type(error).__name__} {error}".strip())) from None
        except TimeoutError as error:
            raise FetchFailed(f"{url}: not complete after {self._limits.whole_s:g} s", url=url) from error
        except RetryableFailure as error:
            if error.wait_s:
                self._turns.hold(host, error.wait_s)
            raise

    @asynccontextmanager
    async def _answer(self, job: _Job, url: str, known: Validators | None) -> AsyncGenerator[httpx.Response]:
        """Open the answer of an address, after its redirects."""
        hop = _Hop(httpx.URL(self._address(url)), has_credential=job.files.needs is not None)
        headers = known.headers_for(url) if known is not None else {}
        for _ in range(_MOST_REDIRECTS + 1):
            request = self._client.build_request("GET", hop.url, headers=headers, extensions=self._extensions(job, hop))
            if hop.pinned:
                request.url = hop.url.copy_with(host=hop.pinned)
            response = await self._client.send(request, stream=True)
            try:
                if not response.has_redirect_location:
                    yield response
                    return
                hop = await self._next_hop(job, url, hop, response)
            finally:
                await response.aclose()
        raise FetchRefused(f"{url}: too many redirects", url=url)

    def _extensions(self, job: _Job, hop: _Hop) -> dict[str, object]:
        extensions: dict[str, object] = {}
        if hop.has_credential and job.files.needs is not None:
            extensions[CREDENTIAL] = job.files.needs
        if hop.pinned:
            extensions["sni_hostname"] = hop.url.host
        return extensions

    async def _next_hop(self, job: _Job, url: str, hop: _Hop, response: httpx.Response) -> _Hop:
        """Return where a redirect leads. The key goes to the same origin only; loopback and private networks are refused."""
        try:
            target = hop.url.join(response.headers["location"])
        except httpx.InvalidURL:
            raise FetchRefused(f"{url}: redirected to an address that is not valid", url=url) from None
        if target.scheme not in ("http", "https") or (hop.url.scheme == "https" and target.scheme != "https"):
            raise FetchRefused(f"{url}: redirected to an address without encryption", url=url)
        needs = job.files.needs
        if needs is not None and needs.parameter:
            target = target.copy_remove_param(needs.parameter)
        if _origin(target) == _origin(hop.url):
            return _Hop(target, has_credential=hop.has_credential, pinned=hop.pinned)
        if self._keys.hide(str(target)) != str(target):
            raise FetchRefused(f"{url}: redirected to another host with the key in the address", url=url)
        return _Hop(target, has_credential=False, pinned=await self._public_address(url, target))

    async def _public_address(self, url: str, target: httpx.URL) -> str:
        """Return the public address of a redirect's host; empty where any is allowed."""
        try:
            original = httpx.URL(self._address(url))
            if self._allow_private or await _public_addresses(original) is None:
                return ""
            addresses = await _public_addresses(target)
        except OSError as error:
            raise RetryableFailure(f"redirected to {target.host}, which does not resolve: {error.strerror}") from error
        if not addresses:
            raise FetchRefused(
                f"{url}: redirected to {target.host}, which is in a private network; AURUM_FETCH__ALLOW_PRIVATE=true allows it",
                url=url,
            )
        return addresses[0]

    async def _check_status(self, job: _Job, url: str, response: httpx.Response) -> None:
        """Raise for every answer that is not a file."""
        status = response.status_code
        if status == HTTPStatus.NOT_MODIFIED:
            raise NotModified(
                f"{job.subject}: nothing newer than what was loaded", source=job.source, dataset=job.dataset, url=url
            )
        if status in _ABSENT:
            raise _absent(job, url)
        if response.status_code == HTTPStatus.OK:
            return
        if status in _TRANSIENT or response.is_server_error:
            wait_s = retry_after_s(response)
            if wait_s is not None and wait_s > self._limits.longest_wait_s:
                self._turns.hold(httpx.URL(url).host, wait_s)
                raise FetchFailed(f"{url}: status {status}, the server asks to wait {wait_s:g} s", retry_after=wait_s, url=url)
            raise RetryableFailure(f"status {status}", wait_s)
        body = self._keys.hide_in(await _beginning(response))
        if (problem := job.files.problem(body)) is not None:
            self._refuse(job, url, problem)
        reason = reason_in(body)
        who = f"the publisher refused the request with status {status}"
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and job.files.needs is not None:
            who = f"the publisher refused the key of {job.files.needs.setting} with status {status}"
        raise FetchRefused(f"{url}: {who}" + (f": {reason}" if reason else ""), url=url)

    def _refuse(self, job: _Job, url: str, problem: Problem) -> None:
        """Raise for an answer that says why it holds no data."""
        if problem.is_absent:
            raise _absent(job, url, problem.reason)
        if problem.is_passing:
            raise RetryableFailure(problem.reason)
        raise FetchRefused(f"{url}: the publisher answered: {problem.reason}", url=url)

    def _check_content(self, job: _Job, url: str, sample: Sample, content_url: str) -> None:
        """Raise for an answer with status 200 that is not a whole file of the expected kind."""
        if (problem := job.files.problem(sample.head)) is not None:
            self._refuse(job, url, problem)
        problem = problem_of(sample, job.files.content or content_at(content_url))
        if problem is not None and problem.is_passing:
            raise RetryableFailure(problem.reason)
        if problem is not None:
            raise NotData(f"{url}: the publisher answered with {self._keys.hide(problem.reason)}", url=url)

    def _saved(self, job: _Job, request: Request) -> Callable[[httpx.Response], Awaitable[FetchedFile]]:
        async def save(response: httpx.Response) -> FetchedFile:
            if job.files.needs is not None:
                content, _ = await self._in_memory(job, request.url)(response)
                return self._written(job, request, response, content)
            return await self._streamed(job, request, response)

        return save

    async def _streamed(self, job: _Job, request: Request, response: httpx.Response) -> FetchedFile:
        path = self._path(job, request, response)
        digest = hashlib.sha256()
        head, tail, size = b"", b"", 0
        with atomic_write(path) as file:
            async for piece in response.aiter_bytes():
                size += len(piece)
                if size > self._limits.most_bytes:
                    raise _too_large(request.url, self._limits.most_bytes)
                head += piece[: EDGE - len(head)]
                tail = (tail + piece)[-EDGE:]
                digest.update(piece)
                file.write(piece)
            self._check_content(job, request.url, Sample(head, tail, size), request.url)
        job.names.add(path.name)
        return self._fetched(job, request.url, path, response, digest.hexdigest())

    def _in_memory(self, job: _Job, url: str) -> Callable[[httpx.Response], Awaitable[tuple[bytes, httpx.Response]]]:
        most = min(_MOST_IN_MEMORY, self._limits.most_bytes)

        async def read(response: httpx.Response) -> tuple[bytes, httpx.Response]:
            pieces: list[bytes] = []
            size = 0
            async for piece in response.aiter_bytes():
                size += len(piece)
                if size > most:
                    raise _too_large(url, most)
                pieces.append(piece)
            content = b"".join(pieces)
            if job.files.needs is not None:
                content = self._keys.hide_in(content)
            self._check_content(job, url, Sample(content[:EDGE], content[-EDGE:], len(content)), url)
            return content, response

        return read

    def _written(self, job: _Job, request: Request, response: httpx.Response, content: bytes) -> FetchedFile:
        path = self._path(job, request, response)
        with atomic_write(path) as file:
            file.write(content)
        job.names.add(path.name)
        return self._fetched(job, request.url, path, response, hashlib.sha256(content).hexdigest())

    def _path(self, job: _Job, request: Request, response: httpx.Response) -> Path:
        """Return the path of a file in the folder of its publication, under a name that no other file of it has."""
        # A server that knows the key could repeat a part of it in a name.
        is_named_by_server = job.files.needs is None
        name = request.name or file_name(response, request.url, otherwise=job.dataset, is_named_by_server=is_named_by_server)
        stem, suffix = Path(name).stem, Path(name).suffix
        number = 1
        while name in job.names:
            number += 1
            name = f"{stem}_{number}{suffix}"
        return self._folder / job.source / job.dataset / job.publication.span / name

    def _fetched(self, job: _Job, url: str, path: Path, response: httpx.Response, digest: str) -> FetchedFile:
        said = Validators(url, response.headers.get("etag", ""), response.headers.get("last-modified", ""))
        is_of_a_day = job.publication.granularity is Granularity.DAY and len(job.publication.days) == 1
        return FetchedFile(path, url, last_modified(response), is_of_a_day, said, digest)


def _absent(job: _Job, url: str, reason: str = "") -> NotPublished:
    detail = f"{job.subject} has no file for {job.publication.span} (yet)" + (f": {reason}" if reason else "")
    return NotPublished(detail, source=job.source, dataset=job.dataset, days=job.publication.span, url=url)


def _too_large(url: str, most: int) -> TooLarge:
    return TooLarge(f"{url}: larger than the limit of {most:,} bytes", url=url)


@contextmanager
def _malformed(url: str) -> Generator[None]:
    """Turn the complaint about an answer that cannot be read into ``NotData``."""
    try:
        yield
    except ValueError as error:
        raise NotData(f"{url}: the answer cannot be read: {error}", url=url) from error


async def _beginning(response: httpx.Response) -> bytes:
    """Return the first bytes of the body of an error, at most ``EDGE`` and a piece."""
    head = b""
    async for piece in response.aiter_bytes():
        head += piece
        if len(head) >= EDGE:
            break
    return head[:EDGE]


async def _public_addresses(url: httpx.URL) -> list[str] | None:
    """Return the addresses of a host; None if one of them is not of the public internet. Raises ``OSError``."""
    texts = await system_lookup(url.host, _port(url))
    addresses = [parse_address(text) for text in texts]
    are_public = all(address is not None and _PUBLIC_ONLY.allows(url.host, address) for address in addresses)
    return list(texts) if are_public else None


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, _port(url)


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _requested_wait_s(error: Exception) -> float | None:
    return error.wait_s if isinstance(error, RetryableFailure) else None
