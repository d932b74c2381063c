"""The largest movers from one market day to another: the series of one measure and market, ranked by the change of their means.

    reading = WideReading(store.catalog, store.quality, store.partials)
    answer = await movers(reading, MoversQuestion("lmp", "NYISO", date(2025, 11, 3), against="week", block="ON_PEAK"))

question     the parameters, and the two days    selection    the series, of one unit and one currency
ranking      reading and ranking                 answer       the movers, and the incomplete series
"""

from aurum.services.movers.answer import Count, Incomplete, Mover, Movers
from aurum.services.movers.question import MoversQuestion
from aurum.services.movers.ranking import NoDataOnDay, WideReading, movers

__all__ = ["Count", "Incomplete", "Mover", "Movers", "MoversQuestion", "NoDataOnDay", "WideReading", "movers"]
