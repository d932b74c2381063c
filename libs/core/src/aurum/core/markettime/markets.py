"""The markets and the clocks of their files. Sources are the operators' manuals, named where they need explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from aurum.core.errors import UnknownName
from aurum.core.names import nearest


@dataclass(frozen=True, slots=True)
class Market:
    """The market area of an operator.

    ``zone``: IANA name of the clock in which its days are counted. ``calendar``: its default block calendar.
    ``zone_by_series``: its series have clocks of their own, in which their blocks are counted, too.
    """

    code: str
    title: str
    zone: str
    calendar: str
    currency: str
    zone_by_series: bool = False


_TABLE = (
    Market("PJM", "PJM Interconnection", "America/New_York", "pjm", "USD"),
    Market("ISONE", "ISO New England", "America/New_York", "isone", "USD"),
    Market("NYISO", "New York ISO", "America/New_York", "nyiso", "USD"),
    Market("CAISO", "California ISO", "America/Los_Angeles", "caiso", "USD"),
    Market("ERCOT", "Electric Reliability Council of Texas", "America/Chicago", "ercot", "USD"),
    # MISO BPM-002: all market hours are Eastern Standard Time, all year. POSIX sign: Etc/GMT+5 is UTC-5.
    Market("MISO", "Midcontinent ISO", "Etc/GMT+5", "miso", "USD"),
    Market("SPP", "Southwest Power Pool", "America/Chicago", "spp", "USD"),
    Market("AESO", "Alberta Electric System Operator", "America/Edmonton", "aeso", "CAD"),
    # IESO market rules ch. 7: Eastern Standard Time, all year.
    Market("IESO", "Ontario IESO", "Etc/GMT+5", "ieso", "CAD"),
    # The trading day of the coupled day-ahead auction. Series of other clocks (load of Finland) have their own zone.
    Market("ENTSOE", "ENTSO-E bidding zones", "Europe/Brussels", "entsoe", "EUR", zone_by_series=True),
    # National Electricity Rules: market time is Australian Eastern Standard Time, UTC+10, all year.
    Market("AEMO", "Australian Energy Market Operator (NEM)", "Etc/GMT-10", "aemo", "AUD"),
)

MARKETS: Mapping[str, Market] = MappingProxyType({market.code: market for market in _TABLE})


def parse_market(code: str) -> Market:
    """Return the market of a code, ignoring case. Raises ``UnknownName``."""
    market = MARKETS.get(code.upper())
    if market is None:
        raise UnknownName("market", code, nearest(code, MARKETS) or tuple(MARKETS))
    return market
