"""``make bench``: every figure, one table, ``bench/results/latest.json``."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from aurum.storage.embedded import EmbeddedPostgres, EmbeddedValkey
from bench import report
from bench.credentials import bearer
from bench.figures import (
    asof,
    bulk,
    cached,
    commands,
    curves,
    growth,
    history,
    ingest,
    jobs,
    leads,
    many,
    memory,
    pictures,
    push,
    search,
    slices,
    sparse,
    start,
    timescale,
    trino,
    wide,
)
from bench.harness import Figure
from bench.peers import timedb
from bench.scale import DEFAULT, FULL, QUICK, Scale
from bench.servers import ROOT, keep_bytecode, serving_api
from bench.stage import add_hourly, make_stage

_HOURLY = "invented:hourly"
_SERIES = f"{_HOURLY}:0:lmp"
USUAL = (
    "ingest",
    "slices",
    "cached",
    "bulk",
    "many",
    "start",
    "commands",
    "growth",
    "history",
    "timescale",
    "wide",
    "push",
    "search",
    "jobs",
    "curves",
    "pictures",
)
GROUPS = (*USUAL, "trino")
"""All groups. Trino runs only on request: it needs Java, and a download the first time."""


async def measured(
    server: EmbeddedPostgres, redis: str, scale: Scale, groups: Sequence[str], *, peers: bool
) -> AsyncGenerator[tuple[list[Figure], list[str]]]:
    """Yield figures and notes group by group. ``redis``: URL of the server through which processes share rate limits."""
    stage = await make_stage(server, "bench")
    shared = ROOT.parent / "shared" / "data"
    if "ingest" in groups:
        yield await ingest.measure(stage, scale, shared), []
    if "slices" in groups:
        await add_hourly(stage, _HOURLY, scale.short)
        await asof.fill(stage)
        await leads.fill(stage)
        credential = await bearer(stage.url)
        with serving_api(stage.url, AURUM_CACHE__ENABLED="false", **_everything_on(redis)) as api:
            yield await slices.measure(stage, api, scale, _SERIES, (credential,)), []
        with serving_api(stage.url, AURUM_CACHE__ENABLED="false") as api:
            yield await asof.measure(api, scale), []
            yield await leads.measure(api, scale), []
            if peers:
                yield await timedb.measure(server, stage, api, scale, _SERIES)
    if "cached" in groups:
        if "slices" not in groups:
            await add_hourly(stage, _HOURLY, scale.short)
        await cached.fill_large(stage)
        credential = await bearer(stage.url)
        with serving_api(stage.url, **_everything_on(redis)) as api:
            yield await cached.measure(api, scale, _SERIES, (credential,)), []
            yield await cached.measure_large(api, scale, (credential,)), []
    if "bulk" in groups:
        series_id = await bulk.fill(stage, max(scale.bulk, scale.streamed))
        yield await bulk.measure(stage, scale, series_id), []
        yield await memory.measure(stage, scale), []
    if "many" in groups:
        several = await make_stage(server, "many")
        await many.fill(several, scale.series)
        yield await many.measure(several, scale), []
        await several.close()
    if "start" in groups:
        yield await start.measure(stage, scale), []
    if "commands" in groups:
        yield await commands.measure(scale), []
    if "growth" in groups:
        short, long = await make_stage(server, "short"), await make_stage(server, "long")
        yield await growth.measure(short, long, scale, shared), []
        await short.close()
        await long.close()
    if "history" in groups:
        archived = await make_stage(server, "archived")
        yield await history.measure(archived, scale), []
        await archived.close()
        series = await make_stage(server, "sparse")
        yield await sparse.measure(series, scale), []
        await series.close()
    if "timescale" in groups:
        yield await timescale.measure(scale, shared)
    if "push" in groups:
        pushed = await make_stage(server, "pushed")
        yield await push.measure(pushed, scale), []
        await pushed.close()
    if "search" in groups:
        named = await make_stage(server, "named")
        await search.fill(named)
        with serving_api(named.url, AURUM_CACHE__ENABLED="false") as api:
            yield await search.measure(api, scale), []
        await named.close()
    if "wide" in groups:
        month = await make_stage(server, "wide")
        yield await wide.measure(month, scale)
        await month.close()
    if "jobs" in groups:
        worked = await make_stage(server, "jobs")
        yield await jobs.measure(worked, redis, scale), []
        await worked.close()
    if "curves" in groups:
        quoted = await make_stage(server, "curves")
        yield await curves.measure(quoted, scale, shared)
        await quoted.close()
    if "pictures" in groups:
        drawn = await make_stage(server, "pictures")
        yield await pictures.measure(drawn, scale), []
        await drawn.close()
    await stage.close()
    if "trino" in groups:
        yield await trino.measure(server, scale), []


def _everything_on(redis: str) -> dict[str, str]:
    """Return variables that require API keys and share rate limits through Redis, and that turn the slow start off.

    A new process admits two requests at a time, and one more every three seconds; the figures are of a process that has run
    for five minutes.
    """
    return {"AURUM_ACCESS__MODE": "required", "AURUM_REDIS__URL": redis, "AURUM_LIMITS__SLOW_START": "0"}


async def run(
    server: EmbeddedPostgres, redis: str, scale: Scale, groups: Sequence[str], *, peers: bool
) -> tuple[list[Figure], list[str]]:
    """Measure all groups and return figures and notes. Each figure is printed as soon as it is measured."""
    figures: list[Figure] = []
    notes: list[str] = []
    async for group, remarks in measured(server, redis, scale, groups, peers=peers):
        for figure in group:
            print(f"{figure.name}: {figure.ratio:.2f} {figure.verdict}".rstrip(), flush=True)
        figures += group
        notes += remarks
    return figures, notes


def main() -> None:
    """Measure, print the table and write the JSON file."""
    arguments = _arguments()
    with (
        tempfile.TemporaryDirectory(prefix="aurum-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "store") as server,
        EmbeddedValkey(Path(folder) / "valkey") as valkey,
    ):
        keep_bytecode(Path(folder) / "bytecode")
        figures, notes = asyncio.run(run(server, valkey.url, arguments.scale, arguments.only, peers=arguments.peers))
    name = "quick.json" if arguments.scale is QUICK else "latest.json"
    report.write(figures, notes, arguments.output or ROOT / "bench" / "results" / name)
    print("", report.table(figures, style=arguments.style), *notes, sep="\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", action="store_const", const=QUICK, dest="scale", help="one round on little data, to see that it runs"
    )
    size.add_argument("--full", action="store_const", const=FULL, dest="scale", help="20M observations streamed, 100M stored")
    parser.add_argument(
        "--only", type=_groups, default=USUAL, help=f"groups to measure, separated by commas: {','.join(GROUPS)}"
    )
    parser.add_argument("--peers", action="store_true", help="also install and measure timedb (downloads 100 MB)")
    parser.add_argument("--output", type=Path, help="the JSON file to write")
    parser.add_argument("--style", default="simple", help="table style of tabulate; github prints Markdown")
    parser.set_defaults(scale=DEFAULT)
    return parser.parse_args()


def _groups(text: str) -> list[str]:
    groups = text.split(",")
    if unknown := sorted(set(groups).difference(GROUPS)):
        raise argparse.ArgumentTypeError(f"unknown group: {', '.join(unknown)}; choose from {', '.join(GROUPS)}")
    return groups


if __name__ == "__main__":
    main()
