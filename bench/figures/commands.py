"""Durations of commands, from the start of the process to its end, on an embedded server that it starts and stops."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aurum.common.settings import DatabaseSettings, environment
from aurum.storage import embedded
from bench.harness import Figure, limit
from bench.scale import Scale
from bench.servers import ROOT
from bench.stage import YEAR, add_hourly, open_stage

_PREFIX = "invented:hourly"
_LIMITS_S = {
    "--help": 0.3,
    "sources": 0.8,
    "series list": 0.8,
    "quarantine list": 0.8,
    f"series show {_PREFIX}:0:lmp": 1.2,
}


async def measure(scale: Scale) -> list[Figure]:
    """Measure each command in a store of one year of one series. The first run fills the page cache and does not count."""
    with tempfile.TemporaryDirectory(prefix="aurum-commands-") as name:
        folder = Path(name)
        with embedded.database(DatabaseSettings(), folder) as database:
            stage = await open_stage(database.url or "")
            await add_hourly(stage, _PREFIX, YEAR)
            await stage.close()
        return [
            limit(f"aurum {command}", [_seconds(folder, command) for _ in range(scale.rounds + 1)][1:], most, unit="s")
            for command, most in _LIMITS_S.items()
        ]


def _seconds(folder: Path, command: str) -> float:
    program = Path(sys.executable).with_name("aurum")
    began = time.perf_counter()
    subprocess.run(
        [program, *command.split()],
        cwd=ROOT,
        env=environment({"AURUM_DATA_DIR": str(folder)}),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began
