"""US consumer prices (``Date,Index,Inflation``) and monthly exchange rates (``Date,Country,Exchange rate``).

Rates are units of the country's currency for one US dollar, for every country: the Fed's own tables turn some of them round,
the data set does not (Australia in 1971: 0.89). ``Euro`` is the euro area. Venezuela struck off zeros twice (five in August
2018, six in October 2021; the means of those two months are in the old money) and its column goes on without a note: three
series, ``rate_vef``, ``rate_ves`` and ``rate_ved``. Inflation is the change of the index on the month before, in percent,
rounded by the data set.

Source of the description: the files of summer 2026.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.markettime import local_day
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.sampling import header_of, sample_of, usual_gap
from aurum.pipelines.source import FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.datahub.datasets import BOLIVARS, CPI, CURRENCIES, EXCHANGE_RATES, ZONE
from aurum.pipelines.sources.datahub.days import with_days

_CPI = ["Date", "Index", "Inflation"]
_RATES = ["Date", "Country", "Exchange rate"]
_MONTH = (28, 31)
_VENEZUELA = "Venezuela"


def _headed(header: list[str]) -> Callable[[SourceFile], bool]:
    return lambda document: list(header_of(document)) == header and not _step_problem(document)


def _explained(header: list[str]) -> Callable[[SourceFile], str]:
    return lambda document: _step_problem(document) if list(header_of(document)) == header else ""


def _step_problem(document: SourceFile) -> str:
    """Return why a table is not monthly: its daily and yearly editions have the same columns. Empty for one that may be."""
    gap = usual_gap(row[0] for row in sample_of(document).rows if row)
    if gap is None or _MONTH[0] <= gap <= _MONTH[1]:
        return ""
    return f"only the monthly edition of this data set is read, and these dates are {gap} days apart"


def _parse_cpi(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, _CPI, refusals)
    count = table.height + refusals.frame().height
    frame = refusals.numbers(with_days(table, "Date", refusals, every="1mo"), {"index": "Index", "inflation": "Inflation"})
    rows = observations(frame.with_columns(location=pl.lit("US")), ["index", "inflation"])
    names = pl.DataFrame({"location": ["US"], "location_name": ["United States"], "location_type": ["country"]})
    return (Parsed(CPI, rows, describe_series(CPI, rows, locations=names), refusals.frame(), count, document.raw),)


def _parse_rates(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, _RATES, refusals)
    count = table.height + refusals.frame().height
    countries = [*CURRENCIES, _VENEZUELA]
    unknown = ~pl.col("Country").is_in(countries).fill_null(False)
    frame = refusals.rows(table, unknown, column="Country", reason=Reason.UNKNOWN_CODE, detail=pl.col("Country"))
    frame = refusals.numbers(with_days(frame, "Date", refusals, every="1mo"), {"rate": "Exchange rate"})
    rows = observations(frame.with_columns(location=pl.col("Country")), ["rate"])
    rows = rows.with_columns(measure=pl.when(pl.col("location") == _VENEZUELA).then(_bolivar()).otherwise("measure"))
    currency = pl.coalesce(
        pl.col("location").replace_strict(CURRENCIES, default=None, return_dtype=pl.String),
        pl.col("measure").str.strip_prefix("rate_").str.to_uppercase(),
    )
    series = describe_series(EXCHANGE_RATES, rows).with_columns(
        currency=currency, unit=pl.format("{}/USD", currency), location_type=pl.lit("country")
    )
    return (Parsed(EXCHANGE_RATES, rows, series, refusals.frame(), count, document.raw),)


def _bolivar() -> pl.Expr:
    """Return the measure of a Venezuelan rate, by its month."""
    day = local_day(pl.col("ts"), ZONE)
    return pl.coalesce(pl.when(day < until).then(pl.lit(f"rate_{code.lower()}")) for until, code in BOLIVARS)


CPI_FORMAT = FileFormat(
    "datahub US consumer prices CSV", (CPI,), _headed(_CPI), _parse_cpi, explain=_explained(_CPI), columns=tuple(_CPI)
)
RATES_FORMAT = FileFormat(
    "datahub exchange rates CSV",
    (EXCHANGE_RATES,),
    _headed(_RATES),
    _parse_rates,
    explain=_explained(_RATES),
    columns=tuple(_RATES),
)
