"""Market time: local time labels of every market to UTC and back."""

from aurum.core.markettime.days import (
    day_bounds,
    day_start,
    first_instant,
    hours_in_day,
    intervals_in_day,
    local_day,
    local_instant,
)
from aurum.core.markettime.instants import (
    MOMENT_PATTERN,
    AmbiguousLocalTime,
    InvalidInstant,
    NonExistentLocalTime,
    parse_day,
    parse_instant,
    parse_moment,
)
from aurum.core.markettime.labels import hour_ending, label_problem, occurrence, to_utc
from aurum.core.markettime.markets import MARKETS, Market, parse_market
from aurum.core.markettime.relative import RELATIVE_FORMS, is_relative, relative_instant
from aurum.core.markettime.zones import parse_zone

__all__ = [
    "MARKETS",
    "MOMENT_PATTERN",
    "RELATIVE_FORMS",
    "AmbiguousLocalTime",
    "InvalidInstant",
    "Market",
    "NonExistentLocalTime",
    "day_bounds",
    "day_start",
    "first_instant",
    "hour_ending",
    "hours_in_day",
    "intervals_in_day",
    "is_relative",
    "label_problem",
    "local_day",
    "local_instant",
    "occurrence",
    "parse_day",
    "parse_instant",
    "parse_market",
    "parse_moment",
    "parse_zone",
    "relative_instant",
    "to_utc",
]
