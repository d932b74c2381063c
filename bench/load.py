"""A load generator that needs nothing installed: HTTP/1.1 keep-alive over raw sockets, in a process of its own.

    python -m bench.load HOST PORT SECONDS CONNECTIONS PATH [HEADER ...]

Bounded in time and ends by itself; loopback only. Prints requests a second, p50, p95 and p99 in milliseconds, errors.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What a server bore."""

    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: int


async def _client(host: str, port: int, request: bytes, until: float, latencies: list[float], errors: list[int]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while time.perf_counter() < until:
        started = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        position = lower.find(b"content-length: ")
        if position >= 0:
            length = int(lower[position + 16 : lower.index(b"\r", position)])
            if length:
                await reader.readexactly(length)
        elif b"transfer-encoding: chunked" in lower:
            while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
                await reader.readexactly(size + 2)
            await reader.readexactly(2)
        latencies.append(time.perf_counter() - started)
        if head[9:10] not in (b"2", b"3"):
            errors.append(1)
    writer.close()


async def _run(host: str, port: int, seconds: float, connections: int, path: str, headers: list[str]) -> Load:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *headers]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    latencies: list[float] = []
    errors: list[int] = []
    started = time.perf_counter()
    until = started + seconds
    await asyncio.gather(*(_client(host, port, request, until, latencies, errors) for _ in range(connections)))
    took = time.perf_counter() - started
    ordered = sorted(latencies)

    def at(share: float) -> float:
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000

    return Load(len(ordered) / took, at(0.5), at(0.95), at(0.99), len(errors))


def measure(url: str, *, seconds: float = 2.0, connections: int = 8, headers: tuple[str, ...] = ()) -> Load:
    """Load a loopback URL from another process."""
    address, _, path = url.removeprefix("http://").partition("/")
    host, _, port = address.partition(":")
    if host != "127.0.0.1":
        raise ValueError("loopback only")
    command = [sys.executable, "-m", "bench.load", host, port, str(seconds), str(connections), "/" + path, *headers]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    return Load(**json.loads(done.stdout))


if __name__ == "__main__":
    _host, _port, _seconds, _connections, _path, *_headers = sys.argv[1:]
    found = asyncio.run(_run(_host, int(_port), float(_seconds), int(_connections), _path, _headers))
    print(json.dumps({name: getattr(found, name) for name in found.__dataclass_fields__}))
