"""Forward curves: their catalog, quotes, history, strips and differences, and the reference data that they are read with.

    reading = CurveReading(store.curves, observations, tenant="desk")
    answer = await read_strips(reading, StripsQuestion("power:DE:base:EEX", ("Q1-25",), trade_date=date(2024, 10, 14)))

reading      the ports that every question is answered with
"""

from aurum.services.curves.reading import CurveReading

__all__ = ["CurveReading"]
