"""Public addresses of the ECB's reference rates, zip archives of one CSV."""

from __future__ import annotations

from datetime import date


def reference_rates(day: date) -> str:
    """Return the address of the history since 1999, which holds every day; the file of the last day alone is replaced daily."""
    del day
    return "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"
