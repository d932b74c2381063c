"""Public files of EIA without a key: workbooks of whole histories, and of a year for wholesale power.

The workbooks of the data navigator are of Henry Hub's spot price: a history page has one for each step, ``d`` (daily) to ``a``
(annual). EIA moves the wholesale workbook of a year that is over to an archive.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aurum.pipelines.public_files import PublicFiles, Query, Request, Wanted

_PAGE = "https://www.eia.gov/dnav/ng/hist/rngwhhd{step}.htm"
_WHOLESALE = "https://www.eia.gov/electricity/wholesale"
_LAST_IN_ARCHIVE, _LAST_XLS = 2013, 2016
_MOVED_BY = 3
"""Last month in which the workbook of the year before may not have been moved yet. A guess."""
_ALL_DAYS = 1_000_000


def _navigator(step: str) -> PublicFiles:
    return PublicFiles(
        history=f"https://www.eia.gov/dnav/ng/hist_xls/RNGWHHD{step}.xls",
        manual=f"EIA, Data Navigator, Henry Hub Natural Gas Spot Price, {_PAGE.format(step=step)}",
    )


def wholesale_address(year: int, *, is_over: bool) -> str:
    """Return the address of the workbook of a year; those up to 2013 are in one archive.

    >>> [wholesale_address(year, is_over=year < 2026).rpartition("/")[2] for year in (2013, 2016, 2025, 2026)]
    ['ice_electric-historical.zip', 'ice_electric-2016final.xls', 'ice_electric-2025final.xlsx', 'ice_electric-2026.xlsx']
    """
    if not is_over:
        return f"{_WHOLESALE}/xls/ice_electric-{year}.xlsx"
    if year <= _LAST_IN_ARCHIVE:
        return f"{_WHOLESALE}/xls/archive/ice_electric-historical.zip"
    return f"{_WHOLESALE}/xls/archive/ice_electric-{year}final.{'xls' if year <= _LAST_XLS else 'xlsx'}"


def _wholesale(wanted: Wanted) -> list[Request]:
    """Return the requests of the workbooks of the years; of the past year, until it is moved for certain, at both addresses."""
    this_year = wanted.today.year
    years = range(wanted.first.year, wanted.last.year + 1)
    addresses = [wholesale_address(year, is_over=year < this_year) for year in years]
    if this_year - 1 in years and wanted.today.month <= _MOVED_BY:
        addresses.insert(0, wholesale_address(this_year - 1, is_over=False))
    return [Request(address) for address in dict.fromkeys(addresses)]


FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        "navigator_daily": _navigator("d"),
        "navigator_weekly": _navigator("w"),
        "navigator_monthly": _navigator("m"),
        "navigator_annual": _navigator("a"),
        "gas_storage_weekly": PublicFiles(
            history="https://ir.eia.gov/ngs/ngshistory.xls",
            manual="EIA, Weekly Natural Gas Storage Report, history, https://ir.eia.gov/ngs/ngs.html",
        ),
        "wholesale_hubs": PublicFiles(
            query=Query(_wholesale, longest_days=_ALL_DAYS),
            manual=f"EIA, Wholesale Electricity and Natural Gas Market Data, {_WHOLESALE}/",
        ),
    }
)
