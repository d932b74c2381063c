"""The files of spooled answers, which all processes of a machine share.

    <folder>/<tenant>/<key>          a complete answer: a head of JSON, then its bytes
    <folder>/<tenant>/<key>.part     one that a process writes, which holds a lock on it

Names are digests, so nothing of a request becomes part of a path. A file becomes complete by a rename. The system releases the
lock of a process that ends, however it ends, so a file without a lock is a leftover.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from aurum.api.http.problems import AnswerTooLarge
from aurum.common.settings import SpoolSettings
from aurum.core.access import Caller, Permission
from aurum.core.clock import Clock
from aurum.core.errors import RateLimited, Unavailable

_HEAD_BYTES = 8_192
_PART = ".part"
_LEAST = 64 << 10
"""Bytes that a file counts as at least, so that no tenant makes very many."""
_CHECK_EVERY = 8 << 20
"""Bytes after which the use of the folder is counted again while a file is written."""


@dataclass(frozen=True, slots=True)
class SpoolKey:
    """The place of an answer: digests of the tenant, and of the address, credential and format."""

    tenant: str
    name: str


def spool_key(caller: Caller, link: str, path: bytes, query: bytes, form: str) -> SpoolKey:
    """Return the key of an address as it was sent, for one caller and its scopes. ``link``: id of a signed link, or empty.

    With the scopes, a credential of the same subject that may read less, or no longer as much, gets an answer of its own.
    """
    asker = f"{caller.tenant}\0{caller.subject}\0{_names(caller.scopes)}\0{link}\0{form}".encode()
    # With the lengths no two requests have the same text.
    text = b"%d:%d:%b%b%b" % (len(asker), len(path), asker, path, query)
    return SpoolKey(_owner(caller.tenant), hashlib.blake2b(text, digest_size=24).hexdigest())


@lru_cache(maxsize=1024)
def _names(scopes: frozenset[Permission]) -> str:
    return " ".join(sorted(scopes))


@lru_cache(maxsize=1024)
def _owner(tenant: str) -> str:
    return hashlib.blake2b(tenant.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class SpoolHead:
    """The description of a spooled answer.

    ``tag``: strong, of its bytes. ``data_tag``: the tag of the data, which a streamed answer has. ``headers``: of the answer.
    ``route``: the template of its path. ``points``: observations in it. ``limit``: None, or the limit that the answer exceeded;
    then there are no bytes.
    """

    size: int
    tag: str
    data_tag: str
    headers: tuple[tuple[str, str], ...]
    route: str
    points: int = 0
    limit: int | None = None


class SpooledFile:
    """An open spooled answer; it can be read to its end, also when the file is removed meanwhile."""

    def __init__(self, descriptor: int, head: SpoolHead, made_at: float) -> None:
        self._descriptor = descriptor
        self.head = head
        self.made_at = made_at

    def read(self, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``start`` on."""
        return os.pread(self._descriptor, length, _HEAD_BYTES + start)

    def close(self) -> None:
        os.close(self._descriptor)


class SpoolFolder:
    """The folder of one service. Methods block for as long as the disk does.

    All but ``is_current`` raise ``Unavailable`` for a folder that cannot be used.
    """

    def __init__(self, path: Path, settings: SpoolSettings, clock: Clock) -> None:
        self._path = str(path)
        self._settings = settings
        self._clock = clock

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return self._clock.now().timestamp()

    def is_current(self, key: SpoolKey) -> bool:
        """Return whether there is an answer that may still be served."""
        place = self._place(key)
        # Nearly always there is none, and this question raises nothing then, which would take longer than all the rest.
        if not os.access(place, os.F_OK):
            return False
        try:
            return self._is_current(os.stat(place).st_mtime)
        except OSError:
            return False

    def open(self, key: SpoolKey) -> SpooledFile | None:
        """Return the answer that may still be served, if there is one."""
        with _usable("read"):
            try:
                descriptor = os.open(self._place(key), os.O_RDONLY)
            except FileNotFoundError:
                return None
            try:
                status = os.fstat(descriptor)
                head = _parse_head(os.pread(descriptor, _HEAD_BYTES, 0))
                if head is not None and self._is_current(status.st_mtime) and status.st_size == _HEAD_BYTES + head.size:
                    spooled, descriptor = SpooledFile(descriptor, head, status.st_mtime), -1
                    return spooled
                return None
            finally:
                if descriptor >= 0:
                    os.close(descriptor)

    def claim(self, key: SpoolKey) -> SpoolWriter | None:
        """Return the writer of an answer; None while another writer has it. Raises what ``check_room`` raises."""
        self.check_room(key.tenant, 0)
        place = self._place(key)
        part = place + _PART
        with _usable("written"):
            os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT, 0o600)
            if not _lock(descriptor, part):
                os.close(descriptor)
                return None
            os.ftruncate(descriptor, 0)
            return SpoolWriter(self, key, descriptor, place)

    def check_room(self, tenant: str, more: int) -> None:
        """Refuse an answer for which there is no room. ``more``: bytes that are about to be written.

        Raises ``RateLimited`` when its tenant has too many bytes in the folder, ``Unavailable`` when all tenants have.
        """
        settings = self._settings
        wait_s = settings.keep_s
        if self._used(tenant) + more > settings.tenant_bytes:
            raise RateLimited(
                f"the answers that wait for HEAD and Range have more than {settings.tenant_bytes:,} bytes: wait until older "
                "files expire, or send a GET without Range, which streams",
                retry_after=wait_s,
                limit=settings.tenant_bytes,
            )
        with _usable("read"):
            try:
                tenants = os.listdir(self._path)
            except FileNotFoundError:
                return
        if sum(map(self._used, tenants)) + more > settings.most_bytes:
            raise Unavailable(
                "there is no room for more answers that wait for HEAD and Range: try again, or send a GET without Range, "
                "which streams",
                retry_after=wait_s,
            )

    def sweep(self) -> int:
        """Remove what is no longer served, and leftovers of processes that have ended. Return the number of files."""
        gone = 0
        with _usable("read"):
            for entry in self._entries():
                # Twice the time: a reader that has just learned the length should be able to begin.
                if entry.name.endswith(_PART):
                    gone += _remove_leftover(entry.path)
                else:
                    gone += self._has_ended(entry, 2) and self._remove_ended(entry.path, 2)
        return gone

    def forget(self, tenant: str) -> None:
        """Remove the complete answers of a tenant, as when something was deleted that they may hold."""
        for entry in _files(f"{self._path}/{_owner(tenant)}"):
            if not entry.name.endswith(_PART):
                _remove(entry.path)

    def _place(self, key: SpoolKey) -> str:
        return f"{self._path}/{key.tenant}/{key.name}"

    def _is_current(self, made_at: float) -> bool:
        # The lower bound: a clock that was set back must not make an answer last. File systems round times.
        return -1 <= self.now() - made_at < self._settings.keep_s

    def _used(self, tenant: str) -> int:
        """Return the bytes of a tenant. Files that are no longer served are removed first."""
        used = 0
        for entry in _files(f"{self._path}/{tenant}"):
            if entry.name.endswith(_PART) or not self._has_ended(entry, 1):
                used += max(_LEAST, _size(entry))
            else:
                self._remove_ended(entry.path, 1)
        return used

    def _has_ended(self, file: os.DirEntry[str] | Path, times: int) -> bool:
        """Return whether a file is older than ``times`` the time for which it is served; False for one that has gone."""
        try:
            modified = os.stat(file, follow_symlinks=False).st_mtime
        except FileNotFoundError:
            return False
        return self.now() >= modified + times * self._settings.keep_s

    def _remove_ended(self, path: str, times: int) -> bool:
        """Remove an answer that has ended, unless a process is about to replace it: then it has its lock."""
        part = path + _PART
        try:
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False
        try:
            if not _lock(descriptor, part):
                return False
            # Looked at again: it may have been replaced between the first look and the lock.
            is_gone = self._has_ended(Path(path), times) and _remove(path)
            _remove(part)
            return is_gone
        finally:
            os.close(descriptor)

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        try:
            tenants = os.listdir(self._path)
        except FileNotFoundError:
            return
        for tenant in tenants:
            yield from _files(f"{self._path}/{tenant}")

    @property
    def answer_bytes(self) -> int:
        """The longest answer that is spooled."""
        return self._settings.answer_bytes


class SpoolWriter:
    """The file of an answer that is being written. It ends with ``finish`` or ``give_up``."""

    def __init__(self, folder: SpoolFolder, key: SpoolKey, descriptor: int, place: str) -> None:
        self._folder = folder
        self._key = key
        self._descriptor = descriptor
        self._place = place
        self._digest = hashlib.blake2b(digest_size=16)
        self._unchecked = 0
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append bytes. Raises ``AnswerTooLarge``, and what ``SpoolFolder.check_room`` raises."""
        most = self._folder.answer_bytes
        if self.size + len(data) > most:
            raise AnswerTooLarge(most)
        self._unchecked += len(data)
        if self._unchecked >= _CHECK_EVERY or not self.size:
            self._folder.check_room(self._key.tenant, len(data))
            self._unchecked = 0
        with _usable("written"):
            _write_all(self._descriptor, data, _HEAD_BYTES + self.size)
        self._digest.update(data)
        self.size += len(data)

    def finish(
        self, data_tag: str, headers: tuple[tuple[str, str], ...], route: str, *, points: int = 0, limit: int | None = None
    ) -> None:
        """Complete the file, so that all processes see it. ``limit``: that the answer exceeded; nothing else is stored then."""
        size = 0 if limit is not None else self.size
        head = SpoolHead(size, f'"{self._digest.hexdigest()}"', data_tag, headers, route, points, limit)
        text = json.dumps(asdict(head)).encode()
        if len(text) > _HEAD_BYTES:
            raise ValueError(f"the head of a spooled answer has {len(text)} bytes, more than {_HEAD_BYTES}")
        with _usable("written"):
            os.ftruncate(self._descriptor, _HEAD_BYTES + size)
            _write_all(self._descriptor, text.ljust(_HEAD_BYTES), 0)
            now = self._folder.now()
            os.utime(self._descriptor, (now, now))
            os.replace(self._place + _PART, self._place)
        self._close()

    def give_up(self) -> None:
        """Remove the file, unless it is complete."""
        if self._descriptor >= 0:
            _remove(self._place + _PART)
            self._close()

    def _close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1


@contextlib.contextmanager
def _usable(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"HEAD and Range cannot be served, because the spool folder cannot be {what}; a GET without Range works",
            where=f"AURUM_SPOOL__FOLDER: {error}",
            retry_after=30.0,
        ) from error


def _lock(descriptor: int, path: str) -> bool:
    """Lock a file; returns whether it worked and the file is still the one at this path."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine, current = os.fstat(descriptor), os.stat(path)
    except (BlockingIOError, FileNotFoundError):
        return False
    return (mine.st_dev, mine.st_ino) == (current.st_dev, current.st_ino)


def _remove_leftover(path: str) -> bool:
    """Remove a file that no process writes."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return _lock(descriptor, path) and _remove(path)
    finally:
        os.close(descriptor)


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True


def _files(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if entry.is_file(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def _write_all(descriptor: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, position)
        view, position = view[written:], position + written


def _parse_head(data: bytes) -> SpoolHead | None:
    """Return the head of a file; None when it is damaged, as after a crash of the machine."""
    try:
        fields = json.loads(data)
        fields["headers"] = tuple((name, value) for name, value in fields["headers"])
        return SpoolHead(**fields)
    except (ValueError, TypeError, KeyError):
        return None
