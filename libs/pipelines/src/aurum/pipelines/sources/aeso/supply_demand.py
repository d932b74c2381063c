"""AESO's current supply and demand report as CSV: one moment, in blocks separated by blank lines, MW.

    Current Supply Demand Report
    "Last Update : Jul 13, 2017 19:26"                     the moment, Mountain prevailing time
    "Alberta Total Net Generation","10054"                 summary: label, number
    "COAL","6283","4504","0"                               fuel groups: MC, TNG, DCR; then TOTAL
    "British Columbia","-216"                              interties: flow, out of Alberta positive; then TOTAL
    "<center><b>Simple Cycle</b></center>"                 over some of the blocks of generators
    "ASSET","MC","TNG","DCR"
    "Drywood (DRW1)","6","0","5"                           generators: name and asset id; a trailing * or ^ is a footnote

Every number is of the one moment, so the series have no interval (frequency irregular) and the moment is the known time; one
that the autumn clock change makes ambiguous refuses the file. Blocks of generators without a title do not say their fuel, and
none is guessed. The two TOTAL rows repeat sums: of the fuels' one only the capability is read, which no other row has. Net
interchange and flows are negative for imports: net generation = internal load + net interchange. The list of generators adds
up to the total capability, which shows a cut file.

Source of the description: the report of 2017-07-13; for the groups and missing quotes of 2026 notes that others publish
(intermittent-docs, AESO.md).
"""

from __future__ import annotations

import re
from datetime import datetime

import polars as pl

from aurum.core.catalog import Fuel, Reason
from aurum.core.frames import PARSED
from aurum.core.markettime import label_problem, to_utc
from aurum.pipelines.fuels import fuel_measures, words_of
from aurum.pipelines.reading.dates import time_of
from aurum.pipelines.reading.numbers import numbers
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.aeso.datasets import COLUMNS, CURRENT_SUPPLY_DEMAND, FUELS, KINDS, SUMMARY, ZONE

_TITLE = "Current Supply Demand Report"
_NAME = re.compile(r"CSDReport|electricity_market_report", re.IGNORECASE)
_UPDATE = re.compile(r"Last Update\s*:\s*(\w{3})\w* (\d{1,2}), (\d{4}) (\d{1,2}:\d{2})")
_ASSET = r"^(.*?)\s*\((\w+)\)\s*[*^]*$"
_AREA = "AESO"
_HEADERS = ("GROUP", "ASSET")
"""First cells of the headers over the groups of fuels and over generators."""
_COMPLETE = 0.98
"""Generators may add up to a little less than the total, since each is rounded."""


def _recognise(document: SourceFile) -> bool:
    head = document.head_lines(3)
    if any(line.strip('" ').startswith(_TITLE) for line in head):
        return True
    return not document.content.strip() and _NAME.search(document.name) is not None


def _last_update(document: SourceFile) -> datetime:
    """Return the time of the report, UTC. Raises ``RefusedFile`` when there is none or the clock change makes it ambiguous."""
    stamp = _UPDATE.search(document.text)
    if stamp is None:
        raise RefusedFile("wrong header: no 'Last Update : Mmm DD, YYYY HH:MM'")
    naive = pl.DataFrame({"at": [time_of(" ".join(stamp.groups()), ("%b %d %Y %H:%M",))]}, schema={"at": pl.Datetime("us")})
    instant, problem = naive.select(to_utc(pl.col("at"), ZONE), label_problem(pl.col("at"), ZONE).alias("why")).row(0)
    if instant is None:
        raise RefusedFile(f"{stamp[0]!r}: {problem}")
    return instant


def _table(document: SourceFile) -> pl.DataFrame:
    """Return rows of two or more cells, with ``line``, ``label``, ``cells`` (the rest), ``block``, ``asset``, ``name``."""
    lines = pl.DataFrame({"text": document.lines}).with_row_index("line", offset=1)
    cells = pl.col("text").str.extract_all(r'"[^"]*"|[^,"]+').list.eval(pl.element().str.strip_chars('" '))
    blank = pl.col("text").str.strip_chars(" ,") == ""
    label = pl.col("cells").list.first()
    return (
        lines.with_columns(cells.alias("cells"), blank.cum_sum().alias("block"))
        .filter(pl.col("cells").list.len() > 1, ~pl.col("text").str.contains("Last Update", literal=True))
        .with_columns(
            label.alias("label"),
            label.str.extract(_ASSET, 2).alias("asset"),
            label.str.extract(_ASSET, 1).alias("name"),
            pl.col("cells").list.slice(1),
        )
        .filter(pl.col("label") != "ASSET")
    )


def _kinds(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with their ``kind``: summary, fuel, total, intertie, asset; null where it is not known."""
    label, width = pl.col("label"), pl.col("cells").list.len()
    totals = table.filter(label == "TOTAL", width == 1)["block"]
    of_fuels = table.filter((label == "TOTAL") & (width == len(COLUMNS)))["block"]
    is_new_fuel = pl.col("block").is_in(of_fuels.implode()) & (width == len(COLUMNS)) & pl.col("asset").is_null()
    kind = (
        pl.when(label.is_in(list(SUMMARY)))
        .then(pl.lit("summary"))
        .when(label.is_in(list(FUELS)))
        .then(pl.lit("fuel"))
        .when((label == "TOTAL") & (width == len(COLUMNS)))
        .then(pl.lit("total"))
        .when(label == "TOTAL")
        .then(pl.lit("intertie_total"))
        .when(pl.col("block").is_in(totals.implode()))
        .then(pl.lit("intertie"))
        .when(is_new_fuel & label.str.contains(r"\pL") & ~label.is_in(_HEADERS))
        .then(pl.lit("fuel"))
        .when(pl.col("asset").is_not_null())
        .then(pl.lit("asset"))
    )
    return table.with_columns(kind.alias("kind"))


def _refuse_truncated(document: SourceFile, table: pl.DataFrame) -> None:
    last = max((number for number, line in enumerate(document.lines, start=1) if line.strip()), default=0)
    if document.raw(last).count('"') % 2:
        raise RefusedFile("truncated: the last line is cut off", line=last)
    kinds = set(table["kind"].drop_nulls())
    missing = [kind for kind in ("summary", "fuel", "total", "intertie_total", "asset") if kind not in kinds]
    if missing:
        raise RefusedFile(f"truncated or another layout: no {', '.join(missing)} rows", line=last)
    capability = numbers(pl.col("cells").list.first())
    listed = table.filter(pl.col("kind") == "asset").select(capability.alias("mc"))["mc"]
    total = table.filter(pl.col("kind") == "total").select(capability.alias("mc"))["mc"][0]
    if listed.null_count() == 0 and total is not None and listed.sum() < _COMPLETE * total:
        raise RefusedFile(f"truncated: the generators listed have {listed.sum():.0f} of {total:.0f} MW", line=last)


def _numbers(table: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    """Return one row per number: ``line``, ``location``, ``measure``, ``value``."""
    single = table.filter(pl.col("kind").is_in(["summary", "intertie"])).with_columns(
        pl.col("cells").list.first().replace("", None).alias("MW"),
        pl.when(pl.col("kind") == "summary").then(pl.lit(_AREA)).otherwise("label").alias("location"),
        pl.col("label").replace_strict(SUMMARY, default="flow", return_dtype=pl.String).alias("measure"),
    )
    triple = table.filter(pl.col("kind").is_in(["fuel", "total", "asset"])).with_columns(
        *(pl.col("cells").list.get(place).replace("", None).alias(name) for place, name in enumerate(COLUMNS)),
        pl.coalesce("asset", pl.lit(_AREA)).alias("location"),
    )
    parts = [refusals.numbers(single, {"value": "MW"}).select("line", "location", "measure", "value")]
    for column, measure in COLUMNS.items():
        # Generation and reserve of the total are in the summary.
        rows = triple.filter(pl.col("kind") != "total") if column != "MC" else triple
        by_word = fuel_measures(CURRENT_SUPPLY_DEMAND, _fuels(table), prefix=f"{measure}_")
        of_fuel = pl.col("label").replace_strict(by_word, default=None, return_dtype=pl.String)
        name = pl.when(pl.col("kind") == "fuel").then(of_fuel).otherwise(pl.lit(measure))
        rows = refusals.numbers(rows, {"value": column}).with_columns(name.alias("measure"))
        parts.append(rows.select("line", "location", "measure", "value"))
    return pl.concat(parts).drop_nulls("value")


def _fuels(table: pl.DataFrame) -> list[str]:
    """Return the words of the groups of fuels."""
    return table.filter(pl.col("kind") == "fuel")["label"].unique().to_list()


def _held_back(table: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    """Return the rows that can be read; those of unknown labels or with too few cells are refused."""
    table = refusals.rows(table, pl.col("kind").is_null(), column="label", reason=Reason.UNKNOWN_CODE, detail=pl.col("label"))
    single = pl.col("kind").is_in(["summary", "intertie", "intertie_total"])
    wanted = pl.when(single).then(1).otherwise(len(COLUMNS))
    return refusals.rows(table, pl.col("cells").list.len() != wanted, column="label", reason=Reason.MISSING_FIELD)


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    if not document.content.strip():
        raise RefusedFile("the file is empty")
    moment = _last_update(document)
    table = _kinds(_table(document))
    _refuse_truncated(document, table)
    refusals = Refusals(document.raw)
    zero = pl.lit(0, dtype=pl.Int16)
    rows = (
        _numbers(_held_back(table, refusals), refusals)
        .with_columns(
            pl.lit(moment).cast(PARSED["ts"]).alias("ts"),
            zero.alias("quality"),
            zero.alias("version"),
            pl.col("line").cast(pl.UInt32),
        )
        .select(list(PARSED))
    )
    names = table.drop_nulls("asset").select(
        pl.col("asset").alias("location"), pl.col("name").alias("location_name"), pl.lit("generator").alias("location_type")
    )
    series = describe_series(CURRENT_SUPPLY_DEMAND, rows, locations=names, fuels=_words(table))
    signed = pl.when(pl.col("measure").is_in(["flow", "net_interchange"])).then(pl.lit('{"sign":"out of Alberta positive"}'))
    series = series.with_columns(signed.otherwise("labels").alias("labels"))
    # Measures of a fuel that is not declared have the kind of their column.
    kinds = {f"{measure}_": kind for measure, kind in KINDS.items()}
    by_column = pl.coalesce(
        pl.when(pl.col("measure").str.starts_with(prefix)).then(pl.lit(kind.value)) for prefix, kind in kinds.items()
    )
    series = series.with_columns(kind=pl.when(pl.col("fuel") == Fuel.UNMAPPED).then(by_column).otherwise("kind"))
    return (Parsed(CURRENT_SUPPLY_DEMAND, rows, series, refusals.frame(), table.height, document.raw, moment),)


def _words(table: pl.DataFrame) -> dict[str, str]:
    """Return the word of each measure of a group of fuels."""
    words = _fuels(table)
    columns = [fuel_measures(CURRENT_SUPPLY_DEMAND, words, prefix=f"{measure}_") for measure in COLUMNS.values()]
    return {measure: word for by_word in columns for measure, word in words_of(by_word).items()}


FORMAT = FileFormat(
    name="AESO current supply demand CSV",
    datasets=(CURRENT_SUPPLY_DEMAND,),
    recognise=_recognise,
    parse=_parse,
    columns=("GROUP", *COLUMNS),
)
