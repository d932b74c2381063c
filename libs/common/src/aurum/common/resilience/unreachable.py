"""Server and cause of a failed connection, in words for operators: never with a user or a password."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

_POOL = re.compile(r"host='([^']+)', port=(\d+)")
_ERRNO = re.compile(r"\[Errno (-?\d+)\] ([^'\")(\[\]]+)")
_LONGEST = 200


def server_of(url: str, *, port: int) -> str:
    """Return ``host:port`` of a URL, several separated by commas, or the path of its socket. ``port``: where it names none.

    ``postgresql://u:p@a,b:6432/x`` is ``a:5432,b:6432``; ``postgresql:///x?host=/run`` is ``/run``.
    """
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return unquote(parts.path)
    named = ",".join(parse_qs(parts.query).get("host", []))
    hosts = named or unquote(parts.netloc.rpartition("@")[2]) or "the local socket"
    return ",".join(_with_port(host, port) for host in hosts.split(","))


def cause_of(error: BaseException | None) -> str:
    """Return why a connection failed, such as ``Connection refused``; the text of the error where it has no such cause."""
    for link in _chain(error):
        if isinstance(link, socket.gaierror):
            return str(link.strerror)
        if isinstance(link, OSError) and link.errno:
            # Not the text of the error: that of asyncio repeats the address.
            return os.strerror(link.errno)
    text = " ".join(str(error).split()) if error is not None else ""
    causes = dict.fromkeys(os.strerror(int(n)) if int(n) > 0 else words.strip(" .,") for n, words in _ERRNO.findall(text))
    if causes or text:
        return ", ".join(causes) or text[:_LONGEST]
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__


def failed_call(error: BaseException) -> str:
    """Return server and cause of a failed call over HTTP, as its client words them: ``db.example:8123: Connection refused``."""
    match = next((match for link in _chain(error) if (match := _POOL.search(str(link)))), None)
    cause = cause_of(error)
    return f"{match[1]}:{match[2]}: {cause}" if match is not None else cause


def _with_port(host: str, port: int) -> str:
    bare = host.startswith("/") or re.search(r":\d+$", host) is not None or host == "the local socket"
    return host if bare else f"{host}:{port}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that led to it, the first one last."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = getattr(error, "reason", None) or next((one for one in error.args if isinstance(one, BaseException)), None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
