"""``make bench``: every figure, one table, ``bench/results/latest.json``."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from pathlib import Path

from aurum.storage.embedded import EmbeddedPostgres
from bench.figures import bulk, growth, ingest, process, slices
from bench.harness import Figure, report
from bench.stage import fill_bulk, fill_hourly, fill_versioned, make_stage

ROOT = Path(__file__).resolve().parents[1]


async def run(server: EmbeddedPostgres, arguments: argparse.Namespace) -> list[Figure]:
    quick = arguments.quick
    rounds = 1 if quick else 5
    shared = ROOT.parent / "shared" / "data"
    stage = await make_stage(server)
    figures: list[Figure] = []

    def done(found: list[Figure]) -> None:
        figures.extend(found)
        for figure in found:
            print(f"  {figure.name}: {figure.ratio:.2f}", flush=True)

    print("ingest", flush=True)
    done(await ingest.measure(stage, rounds=rounds, shared=shared if shared.is_dir() and not quick else None))
    print("slices", flush=True)
    small = 10 if quick else 114
    await fill_hourly(stage, small)
    await fill_versioned(stage)
    done(await slices.measure(stage, rounds=rounds, seconds=0.5 if quick else 2.0))
    print("bulk", flush=True)
    count = 100_000 if quick else 20_000_000 if arguments.full else 1_000_000
    series_id = await fill_bulk(stage, count)
    done(await bulk.measure(stage, rounds=1 if arguments.full else rounds, series_id=series_id, count=count))
    print("process", flush=True)
    done(await process.measure(stage, rounds=1 if quick else 5))
    print("growth", flush=True)
    done(await growth.measure(stage, small=small, large=20 if quick else 11_400 if arguments.full else 1_140))
    await stage.store.pool.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round on little data: does it run, no more")
    parser.add_argument("--full", action="store_true", help="20M observations streamed, 100M stored")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="aurum-bench-pg-"))
    try:
        with EmbeddedPostgres(folder) as server:
            figures = asyncio.run(run(server, arguments))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    name = "quick.json" if arguments.quick else "latest.json"
    print("\n" + report(figures, [], ROOT / "bench" / "results" / name))


if __name__ == "__main__":
    main()
