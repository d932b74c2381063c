"""Turns OASIS reports, as rows of text, into observations: the part that CSV and XML answers share.

Both hold the same under different names: interval start and end in GMT, market run, a code of the quantity, a place and a
number. Which dataset and measure a row is follows from the report's table below; an unknown code is refused. The interval
must have the dataset's length, and a unit that the answer states must be the dataset's. Local labels (``OPR_DT``,
hour-ending ``OPR_HR`` with 25 for the repeated hour) are never used to find the time; where rows carry them they must name the
day and the hour of the GMT columns. In XML that is the day, ``OPR_DATE``: how its numbers of intervals count the repeated hour
is not described.

Source of the description: CAISO Interface Specification for OASIS; answers of 2013 to 2025; for the market runs of which no
answer is available (RUC, HASP, RTPD, RTD, ACTUAL) the codes and interval lengths in gridstatus ``caiso.py`` and pyiso.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.frames import PARSED
from aurum.pipelines.fuels import fuel_measures, is_word
from aurum.pipelines.reading.dates import days, read_once, times
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.numbers import whole
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.reading.two_times import hold_to_second_time
from aurum.pipelines.source import Dataset, Parsed, RefusedFile, describe_series
from aurum.pipelines.sources.caiso import datasets as d


@dataclass(frozen=True, slots=True)
class Report:
    """One OASIS query. ``by``: the roles whose upper-case values select dataset and measure in ``codes``."""

    query: str
    by: tuple[str, ...]
    codes: Mapping[tuple[str, ...], tuple[Dataset, str]]

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Every dataset of the report, without repetition."""
        return tuple(dict.fromkeys(dataset for dataset, _ in self.codes.values()))


_PRICES = {"LMP": "lmp", "MCE": "energy", "MCC": "congestion", "MCL": "loss", "MGHG": "ghg"}
_PRICE_ITEMS = {
    "LMP_PRC": "lmp",
    "LMP_ENE_PRC": "energy",
    "LMP_CONG_PRC": "congestion",
    "LMP_LOSS_PRC": "loss",
    "LMP_GHG_PRC": "ghg",
}
_RUNS = {"DAM": d.ENE_SLRS_DAM, "RUC": d.ENE_SLRS_RUC, "HASP": d.ENE_SLRS_HASP, "RTM": d.ENE_SLRS_RTM}
_SCHEDULES = {"LOAD": "load", "GEN": "generation", "IMP": "imports", "EXP": "exports"}
_RENEWABLES = {
    "DAM": d.SLD_REN_FCST_DAM,
    "HASP": d.SLD_REN_FCST_HASP,
    "RTPD": d.SLD_REN_FCST_RTPD,
    "RTD": d.SLD_REN_FCST_RTD,
    "ACTUAL": d.SLD_REN_FCST_ACTUAL,
}

_UNITS = {"MW": ("MW",), "USD/MWh": ("US$/MWH", "US$", "$/MWH", "USD/MWH", "$")}
"""Spellings of the units in upper case, OASIS' own first. The unit of a price is also given as its currency alone."""

PRC_LMP = Report(
    "PRC_LMP",
    ("market", "item"),
    {("DAM", item): (d.PRC_LMP_DAM, measure) for item, measure in {**_PRICES, **_PRICE_ITEMS}.items()},
)
ENE_SLRS = Report(
    "ENE_SLRS",
    ("market", "item"),
    {
        (run, f"{scope}_{item}_MW"): (dataset, measure)
        for run, dataset in _RUNS.items()
        for scope in ("ISO_TOT", "TOT")
        for item, measure in _SCHEDULES.items()
    },
)
SLD_FCST = Report(
    "SLD_FCST",
    ("item",),  # one answer of the real-time market holds both 15-minute and 5-minute items
    {
        ("SYS_FCST_7DA_MW",): (d.SLD_FCST_7DA, "load_forecast"),
        ("SYS_FCST_2DA_MW",): (d.SLD_FCST_2DA, "load_forecast"),
        ("SYS_FCST_DA_MW",): (d.SLD_FCST_DAM, "load_forecast"),
        ("SYS_FCST_15MIN_MW",): (d.SLD_FCST_RTPD, "load_forecast"),
        ("SYS_FCST_5MIN_MW",): (d.SLD_FCST_RTD, "load_forecast"),
        ("SYS_FCST_ACT_MW",): (d.SLD_FCST_ACTUAL, "load"),
    },
)
SLD_REN_FCST = Report(
    "SLD_REN_FCST",
    ("market", "fuel"),
    {
        (run, fuel.upper()): (dataset, f"generation_{'' if run == 'ACTUAL' else 'forecast_'}{fuel}")
        for run, dataset in _RENEWABLES.items()
        for fuel in ("solar", "wind")
    },
)
REPORTS = (PRC_LMP, ENE_SLRS, SLD_FCST, SLD_REN_FCST)


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of an OASIS answer as text. ``rows``: ``line`` and String columns under the answer's own words.

    ``words``: the answer's word for each role: start, end, location, value and the report's ``by``; ``day`` and ``hour``
    where the answer has local labels, ``unit`` where it states one. ``refused``: rows held back while reading. ``raw``: returns
    the text of a line. ``answered_at``: when OASIS wrote the answer, UTC.
    """

    rows: pl.DataFrame
    words: Mapping[str, str]
    raw: Callable[[int], str]
    refused: pl.DataFrame
    answered_at: datetime | None


def parse_answer(answer: Answer, report: Report) -> tuple[Parsed, ...]:
    """Return one ``Parsed`` for each dataset of the report in the answer, and at least one.

    Rows that belong to no known dataset are held back with the first.
    """
    coded = _with_codes(answer, report)
    present = [dataset for dataset in report.datasets if dataset.name in coded["dataset"]] or [report.datasets[0]]
    own = pl.col("dataset").fill_null(present[0].name)
    return tuple(
        _parse_dataset(coded.filter(own == dataset.name), dataset, answer, report, first=dataset is present[0])
        for dataset in present
    )


def _with_codes(answer: Answer, report: Report) -> pl.DataFrame:
    codes = pl.DataFrame(
        [(*code, dataset.name, measure) for code, (dataset, measure) in report.codes.items()],
        schema={**dict.fromkeys([f"__{role}" for role in report.by], pl.String), "dataset": pl.String, "measure": pl.String},
        orient="row",
    )
    keys = [pl.col(answer.words[role]).str.to_uppercase().alias(f"__{role}") for role in report.by]
    coded = answer.rows.with_columns(keys).join(
        codes, on=[f"__{role}" for role in report.by], how="left", maintain_order="left"
    )
    return _with_new_fuels(coded, answer.words["fuel"], report) if "fuel" in report.by else coded


def _with_new_fuels(coded: pl.DataFrame, column: str, report: Report) -> pl.DataFrame:
    """Return the rows with dataset and measure also where the market run is known and the word for the fuel is not."""
    by_run = {run: (dataset, measure.rpartition("_")[0]) for (run, _), (dataset, measure) in report.codes.items()}
    is_new = pl.col("measure").is_null() & pl.col("__market").is_in(list(by_run)) & pl.col(column).is_not_null()
    new: dict[tuple[str, str], tuple[str, str]] = {}
    for run, word in coded.filter(is_new).select("__market", column).unique().rows():
        dataset, prefix = by_run[run]
        if is_word(word):
            new[run, word] = (dataset.name, fuel_measures(dataset, [word], prefix=f"{prefix}_")[word])
    if not new:
        return coded
    names = pl.DataFrame(
        [(*code, *named) for code, named in new.items()], schema=["__market", column, "__dataset", "__measure"], orient="row"
    )
    joined = coded.join(names, on=["__market", column], how="left", maintain_order="left")
    return joined.with_columns(dataset=pl.coalesce("dataset", "__dataset"), measure=pl.coalesce("measure", "__measure"))


def _parse_dataset(rows: pl.DataFrame, dataset: Dataset, answer: Answer, report: Report, *, first: bool) -> Parsed:
    words, refusals = answer.words, Refusals(answer.raw)
    rows_read = rows.height + (answer.refused.height if first else 0)
    code = pl.concat_str([pl.col(words[role]).fill_null("") for role in report.by], separator=" ")
    rows = refusals.rows(
        rows, pl.col("measure").is_null(), column=words[report.by[-1]], reason=Reason.UNKNOWN_CODE, detail=code
    )
    if "unit" in words:
        _refuse_other_units(rows[words["unit"]], dataset)
    rows = with_ids(rows, words["location"], refusals, rule=dataset.ids)
    rows = _interval_starts(rows, dataset, words, refusals)
    rows = refusals.numbers(rows, {"value": words["value"]})
    observed = _long(rows)
    refused = pl.concat([answer.refused, refusals.frame()]).sort("line") if first else refusals.frame()
    series = describe_series(dataset, observed, fuels=_words(rows, words))
    return Parsed(dataset, observed, series, refused, rows_read, answer.raw, answered_at=answer.answered_at)


def _words(rows: pl.DataFrame, words: Mapping[str, str]) -> dict[str, str] | None:
    """Return the word for the fuel by measure; None for a report without fuels."""
    return dict(rows.select("measure", words["fuel"]).unique().sort("measure").rows()) if "fuel" in words else None


def _refuse_other_units(stated: pl.Series, dataset: Dataset) -> None:
    (unit,) = {measure.unit for measure in dataset.measures}
    others = [text for text in stated.drop_nulls().unique() if text.upper() not in _UNITS[unit]]
    if others:
        raise RefusedFile(f"unit of measure {others[0]!r}: {dataset.name} is in {unit}, which OASIS writes {_UNITS[unit][0]}")


def _long(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows, each one observation of its ``measure``, in schema ``PARSED``."""
    zero = pl.lit(0, dtype=pl.Int16)
    return (
        rows.filter(pl.col("value").is_not_null())
        .with_columns(zero.alias("quality"), zero.alias("version"), pl.col("line").cast(pl.UInt32))
        .select(list(PARSED))
    )


def _interval_starts(rows: pl.DataFrame, dataset: Dataset, words: Mapping[str, str], refusals: Refusals) -> pl.DataFrame:
    step = dataset.frequency.step
    assert step is not None
    for name, role in (("ts", "start"), ("__end", "end")):
        rows = read_once(rows, words[role], _instant(pl.col(words[role])).alias(name))
    rows = refusals.rows(rows, pl.col("ts").is_null(), column=words["start"], reason=Reason.INVALID_TIME)
    whole = (pl.col("__end") - pl.col("ts")) == step
    detail = f"not an interval of {step // timedelta(minutes=1)} minutes"
    rows = refusals.rows(rows, ~whole.fill_null(False), column=words["end"], reason=Reason.INVALID_TIME, detail=detail)
    if "day" not in words:
        return rows
    label, expected = _labels(pl.col(words["day"]), pl.col(words["hour"]) if "hour" in words else pl.lit(None, pl.String))
    second = [words[role] for role in ("day", "hour") if role in words]
    return hold_to_second_time(rows, refusals, first=words["start"], second=second, label=label, expected=[expected])


def _instant(text: pl.Expr) -> pl.Expr:
    """Read times like ``2019-07-01T11:00:00-00:00``; an offset other than zero gives null."""
    return times(text, ("%Y-%m-%dT%H:%M:%S-00:00",)).dt.replace_time_zone("UTC")


def _labels(day: pl.Expr, hour: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the end of the hour that trading day and hour-ending label name, and that of the hour of ``ts``.

    Both are the midnight of the trading day plus the number of the hour, 25 for the repeated hour. A missing label is
    taken from ``ts``. The first is null where a label cannot be read, the second never.
    """
    local = pl.col("ts").dt.convert_time_zone(d.ZONE)
    first = local.dt.replace_time_zone(None).dt.replace_time_zone(d.ZONE, ambiguous="earliest", non_existent="null")
    day_of_ts, hour_of_ts = local.dt.date(), pl.when(local == first).then(local.dt.hour().cast(pl.Int64) + 1).otherwise(25)
    trading_day = pl.when(day.is_null()).then(day_of_ts).otherwise(days(day, ("%Y-%m-%d",)))
    trading_hour = pl.when(hour.is_null()).then(hour_of_ts).otherwise(whole(hour))
    label, expected = (
        date.cast(pl.Datetime("us")) + pl.duration(hours=number)
        for date, number in ((trading_day, trading_hour), (day_of_ts, hour_of_ts))
    )
    return label, expected
