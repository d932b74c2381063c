"""Declares EIA's weekly series by title and unit, which are stored with a series and which every one of EIA's formats has.

EIA dates a week by its last day, or by the day of a survey: "the week ending" a Friday for petroleum and for natural gas, a
Monday for retail prices. A title names the quantity ("Ending Stocks", "Field Production", "Retail Gasoline Prices"); where the
web service has no ``series-description``, the names of the facets, the process among them, take its place.

* Stocks, and what is derived from them at that moment (days of supply, capacity), are levels at the end of the day.
* Production, imports, exports, inputs, product supplied, utilization and changes of stocks are flows over the week.
* Weekly spot and futures prices are means of the daily prices of the week, hence flows.
* Retail, residential and wholesale prices are surveyed on the Monday.

The migration "weeks where they end" declared stored series by these rules. A changed rule needs another migration, or a second
load of an old file adds points.

Source: EIA, Weekly Petroleum Status Report, appendix B "Explanatory Notes"; Gasoline and Diesel Fuel Update, "Methodology";
Weekly Natural Gas Storage Report, "Methodology"; Natural Gas Spot and Futures Prices, "Definitions, Sources and Notes".
"""

from __future__ import annotations

from calendar import FRIDAY, MONDAY

import polars as pl

from aurum.core.series.weeks import Week

_TITLES = (
    (Week.FLOW, r"utiliz|stock change|change in stocks|net (?:change|withdrawal|injection)|spot|future"),
    (Week.LEVEL, r"stocks|inventor|storage|days of supply|capacity"),
)
_SURVEYED = r"retail|resident|resale|wholesale"
_FLOWS = (
    r"production|import|export|input|supplied|demand|adjustment|throughput|receipt|deliver|movement|shipment|consum|"
    r"generation|withdraw|inject|unaccounted"
)


def declared() -> pl.Expr:
    """Return the name of the ``Week`` of each weekly series in a ``PARSED_SERIES`` frame."""
    title = pl.col("location_name").str.to_lowercase()
    result = pl.when(title.str.contains(_TITLES[0][1])).then(pl.lit(str(_TITLES[0][0])))
    result = result.when(title.str.contains(_TITLES[1][1])).then(pl.lit(str(_TITLES[1][0])))
    result = result.when(pl.col("currency").is_not_null() & title.str.contains(_SURVEYED)).then(pl.lit(str(Week.SURVEY)))
    is_flow = title.str.contains(_FLOWS) | pl.col("unit").str.ends_with("/d")
    return result.when(is_flow).then(pl.lit(str(Week.FLOW))).otherwise(pl.lit(str(Week.UNDECLARED)))


def declared_weekdays(week: pl.Expr) -> pl.Expr:
    """Return the weekday (Monday is 0) of the stamps of weekly series with a ``week``; null where it is undeclared.

    Weeks of petroleum and natural gas end on a Friday, which is the day of stocks, too; retail prices are of a Monday.
    """
    weekdays = {str(Week.FLOW): FRIDAY, str(Week.LEVEL): FRIDAY, str(Week.SURVEY): MONDAY}
    return week.replace_strict(weekdays, default=None, return_dtype=pl.Int64)


def declared_storage() -> pl.Expr:
    """Return the name of the ``Week`` of each series of the gas storage report: changes are flows, stocks are levels."""
    is_change = pl.col("measure").str.starts_with("storage_change")
    return pl.when(is_change).then(pl.lit(str(Week.FLOW))).otherwise(pl.lit(str(Week.LEVEL)))
