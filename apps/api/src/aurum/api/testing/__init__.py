"""A service for tests: in this process, over memory adapters or a real store, with data made in one line.

    store = MemoryStore(clock)
    await store.loader.load(file_of(hourly("nyiso:damlbmp_zone:61761:lmp", start, [30.0, 31.5])))
    async with serving(Settings(), InMemory(store)) as served:
        response = await served.client.get("/v2/series/nyiso:damlbmp_zone:61761:lmp/observations")

No module of the product imports it.
"""

from aurum.api.testing.clock import MovableClock
from aurum.api.testing.memory import InMemory, changed, on_clock
from aurum.api.testing.observations import InventedSeries, file_of, hourly
from aurum.api.testing.serving import Served, serving

__all__ = ["InMemory", "InventedSeries", "MovableClock", "Served", "changed", "file_of", "hourly", "on_clock", "serving"]
