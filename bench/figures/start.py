"""The API as a process: the time to its first answer, and its memory at rest."""

from __future__ import annotations

import asyncio

from bench.harness import Figure, limit
from bench.scale import Scale
from bench.servers import serving_api
from bench.stage import Stage

_REST_S = 0.5


async def measure(stage: Stage, scale: Scale) -> list[Figure]:
    """Measure starts of the API. The first answer is of ``/ready``, which queries the database."""
    started: list[float] = []
    resident: list[float] = []
    for _ in range(scale.rounds + 1):
        with serving_api(stage.url) as api:
            started.append(api.started_s)
            await asyncio.sleep(_REST_S)
            resident.append(api.resident_mib())
    # The first start fills the page cache.
    return [
        limit("API: start to first answer", started[1:], 1.5, unit="s", stretch=0.8),
        limit("API: memory at rest", resident[1:], 150, unit="MiB", stretch=100),
    ]
