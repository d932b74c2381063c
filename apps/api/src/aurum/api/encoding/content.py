"""Content codings: the choice by ``Accept-Encoding`` (RFC 9110, 12.5.3), and the compressors.

The levels suit responses that a client waits for. Measured on 24 rows of JSON (3.3 kB): gzip at 4 gives 382 B in 15 µs,
br at 4 292 B in 18 µs, zstd at 3 318 B in 13 µs; 1.2 MB take 3.3 ms, 1.6 ms and 0.2 ms.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Protocol

import brotli
import zstandard

LEAST_BYTES = 500
"""Shorter bodies are not compressed: they fit in one packet anyway."""

_REMEMBERED_BYTES = 256
"""Longest ``Accept-Encoding`` whose choice is remembered."""
_PREFERRED = ("zstd", "br", "gzip")
"""The order of preference when a client accepts several codings equally."""
_GZIP_LEVEL, _BROTLI_QUALITY, _ZSTD_LEVEL = 4, 4, 3
_GZIP_WBITS = 31
"""15 for a window of 32 kB, plus 16 for the gzip format (zlib manual, ``deflateInit2``)."""


class Compressor(Protocol):
    """A compressor that works piece by piece. ``flush`` returns everything that is still buffered."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...
    def finish(self) -> bytes: ...


def chosen_coding(accepted: bytes | None) -> str | None:
    """Return the coding for an ``Accept-Encoding``; None: no coding, also when the client refuses ``identity``."""
    if not accepted:
        return None
    # Remembered choices are limited by number, and a header may have 64 kB.
    return _known_choice(accepted) if len(accepted) <= _REMEMBERED_BYTES else _choice(accepted)


def _choice(accepted: bytes) -> str | None:
    qualities = dict(_quality(part) for part in accepted.decode("latin-1").lower().split(","))
    others = qualities.get("*", 0.0)
    ranked = sorted(((qualities.get(name, others), -place, name) for place, name in enumerate(_PREFERRED)), reverse=True)
    best, _, name = ranked[0]
    return name if best > 0 and best >= qualities.get("identity", 0.0) else None


def compressed(data: bytes, coding: str) -> bytes:
    """Return a whole body compressed."""
    match coding:
        case "zstd":
            return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(data)
        case "br":
            return brotli.compress(data, quality=_BROTLI_QUALITY)
        case _:
            gzip = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WBITS)
            return gzip.compress(data) + gzip.flush()


def compressor(coding: str) -> Compressor:
    """Return a compressor for a body that is sent in pieces."""
    match coding:
        case "zstd":
            return _Zstd()
        case "br":
            return _Brotli()
        case _:
            return _Gzip()


_known_choice = lru_cache(maxsize=1024)(_choice)


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WBITS)
        self.compress = self._inner.compress

    def flush(self) -> bytes:
        return self._inner.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._inner.flush()


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Compressor(quality=_BROTLI_QUALITY)
        self.compress = self._inner.process
        self.flush = self._inner.flush
        self.finish = self._inner.finish


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
        self.compress = self._inner.compress

    def flush(self) -> bytes:
        return self._inner.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._inner.flush()


def _quality(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
            return name, quality if 0 <= quality <= 1 else 0.0
    return name, 1.0
