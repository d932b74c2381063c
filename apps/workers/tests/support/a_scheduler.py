"""A scheduler in a process of its own: ``python a_scheduler.py DATABASE_URL``. It looks often, so that tests are short."""

from __future__ import annotations

import asyncio
import sys

from aurum.assembly.postgres import open_store
from aurum.common.settings import DatabaseSettings, Settings
from aurum.services.jobs.definitions import default_definitions
from aurum.services.schedule.scheduler import Pace, run_scheduler

QUICK = Pace(look_s=0.02, standby_s=0.02, unavailable_s=0.02)


async def main(url: str) -> None:
    database = DatabaseSettings(url=url, pool_size=2, connect_timeout_s=120.0, statement_timeout_s=300.0)
    async with open_store(Settings(database=database)) as store:
        await run_scheduler(
            store.schedule, store.schedule_firings, default_definitions(), store.clock, asyncio.Event(), pace=QUICK
        )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
