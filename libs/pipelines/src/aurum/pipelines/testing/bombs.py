"""Archives for tests that unpack to far more than their size."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib

MEBIBYTE = 1 << 20


def repeated_gzip(chunk: bytes, times: int) -> bytes:
    """Return a .gz that unpacks to ``chunk`` many times."""
    return gzip.compress(chunk, mtime=0) * times


def zipped(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a .zip of members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_repeated(archive: bytes, name: str, parts: tuple[bytes, bytes, bytes], times: int) -> bytes:
    """Return a .zip with one more member: the first part, the second one ``times`` times, and the third; below 4 GiB.

    The second part is compressed once, so that a bomb of gigabytes is made in a second or two.
    """
    first, chunk, last = parts
    crc = zlib.crc32(first)
    for _ in range(times):
        crc = zlib.crc32(chunk, crc)
    crc = zlib.crc32(last, crc)
    data = _block(first) + _block(chunk) * times + _block(last) + b"\x03\x00"
    size = len(first) + len(chunk) * times + len(last)
    old = zipfile.ZipFile(io.BytesIO(archive))
    start = old.start_dir
    common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(data), size, len(name), 0)
    local = b"PK\x03\x04" + common + name.encode()
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, start) + name.encode()
    directory = archive[start : archive.rindex(b"PK\x05\x06")] + entry
    count, place = len(old.infolist()) + 1, start + len(local) + len(data)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), place, 0)
    return archive[:start] + local + data + directory + end


def _block(content: bytes) -> bytes:
    """Return content as a part of a deflate stream that refers to nothing before it."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(content) + compressor.flush(zlib.Z_FULL_FLUSH)
