"""The lock of all reference data: blocks, calendars, seasons, sessions and units of brokers.

Names, aliases and the products that depend on them are checked against each other, so one lock guards them together. A change
of reference data holds it alone; writers of products, which name reference data, hold it together. It is taken before rows are.
"""

from __future__ import annotations

_KEY = "hashtextextended('reference data', 0)"

LOCK = f"SELECT pg_advisory_xact_lock({_KEY})"
PIN = f"SELECT pg_advisory_xact_lock_shared({_KEY})"
