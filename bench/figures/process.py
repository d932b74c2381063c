"""The API as a process: how soon it answers, what it holds at rest."""

from __future__ import annotations

import asyncio
import statistics
import time

from bench.harness import Figure, limit
from bench.stage import Stage, api_arguments, resident_mib, serving


async def measure(stage: Stage, *, rounds: int) -> list[Figure]:
    starts: list[float] = []
    memory: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        with serving(api_arguments(), "/ready", AURUM_DATABASE__URL=stage.url, AURUM_LOGGING__LEVEL="ERROR") as (_, process):
            starts.append(time.perf_counter() - began)
            await asyncio.sleep(0.5)
            memory.append(resident_mib(process))
    return [
        limit("API: start to first answer", statistics.median(starts), 1.5, unit="s", stretch=0.8),
        limit("API: memory at rest", statistics.median(memory), 150, unit="MiB", stretch=100),
    ]
