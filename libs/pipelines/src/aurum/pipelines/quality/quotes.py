"""Checks the quotes of a parsed file before they are stored: keys, dates, numbers, bid and ask, expectations, repeats.

A quote that fails goes to quarantine with its line, column, raw text and reason; the others are stored. A listed product
without a price is a quote whose fields are null. A settlement outside the day's low and high is normal, and is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.catalog.validations import ValidationResult
from aurum.core.curves.keys import CurveKey, InvalidCurveKey
from aurum.core.curves.quotes import ENDED, FIELDS, LONGEST, MOST, PARSED_QUOTES
from aurum.core.frames import REFUSED, conform
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.quality.outcomes import evaluate
from aurum.pipelines.quality.suites import Severity, Suite
from aurum.pipelines.storable import storable_column

_ROW_KEY = ("line", "curve", "delivery_start", "delivery_end", "trade_date")
"""Columns that identify a quote of the file in samples of failed rows."""
_IDENTITY = list(_ROW_KEY[1:])
_TOLERANCE = timedelta(days=1)
"""By which a trade date may be ahead of the day in UTC: exchanges east of it."""


@dataclass(frozen=True, slots=True)
class QuoteGateResult:
    """The quotes that passed (schema ``PARSED_QUOTES``) and the quarantined ones (schema ``REFUSED``, the parser's included).

    ``validation``: the outcome of each expectation on the quotes that are possible by themselves. ``refusal``: why the whole
    file is refused, or empty.
    """

    rows: pl.DataFrame
    quarantine: pl.DataFrame
    validation: ValidationResult
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class _Check:
    """A check of single quotes. ``bad``: true or null for those that fail. ``detail``: a text or an expression."""

    bad: pl.Expr
    column: str
    reason: Reason
    detail: str | pl.Expr


def check_quotes(parsed: ParsedQuotes, suite: Suite, *, now: datetime | None = None) -> QuoteGateResult:
    """Check the quotes of one dataset in one file. ``now``: the present instant, which bounds trade dates; None: unknown."""
    rows = parsed.rows.select(
        *conform(parsed.rows, PARSED_QUOTES).columns, *(["cell"] if "cell" in parsed.rows.columns else [])
    )
    held: list[pl.DataFrame] = []
    checks = list(_checks(parsed, rows, now))
    fails = rows.select(check.bad.fill_null(True).any().alias(str(position)) for position, check in enumerate(checks)).row(0)
    for check in (check for check, some in zip(checks, fails, strict=True) if some):
        bad = rows.select(check.bad.fill_null(True).alias("bad"))["bad"]
        detail = check.detail if isinstance(check.detail, pl.Expr) else pl.lit(check.detail)
        held.append(_report(parsed, rows.filter(bad).with_columns(detail.alias("detail")), check.column, check.reason))
        rows = rows.filter(~bad)
    evaluation = evaluate(rows, replace(suite, key=_ROW_KEY))
    refusal = next(
        (
            f"{rows.height} quotes: expected {one.text}"
            for one in suite.table
            if one.severity is Severity.CRITICAL and one.mismatch(rows) is not None
        ),
        "",
    )
    dataset = parsed.dataset
    validation = ValidationResult(
        suite=suite.name,
        source=dataset.source,
        dataset=dataset.name,
        rows=rows.height,
        outcomes=evaluation.outcomes,
        reason=refusal,
    )
    if refusal:
        return QuoteGateResult(rows.clear(), pl.DataFrame(schema=REFUSED), validation, refusal)
    for expectation in evaluation.broken.values():
        if expectation.severity is Severity.CRITICAL:
            breach = rows.select(expectation.breach.alias("breach"))["breach"]
            failed = rows.filter(breach).with_columns(pl.lit(f"expected {expectation.text}").alias("detail"))
            held.append(_report(parsed, failed, expectation.expectation.column or _FIRST, Reason.OUT_OF_BOUNDS))
            rows = rows.filter(~breach)
    quarantine = _clean(pl.concat([conform(parsed.refused, REFUSED), *held]))
    return QuoteGateResult(rows, quarantine, validation)


_FIRST = FIELDS[0]


def without_repeats(parts: Sequence[ParsedQuotes], results: Sequence[QuoteGateResult]) -> tuple[QuoteGateResult, ...]:
    """Return the results of the parts of one dataset, such as the sheets of a workbook, with each quote once.

    A quote that is repeated alike counts once; of one that is repeated with other numbers every row is held back.
    """
    rows = pl.concat([one.rows.with_columns(pl.lit(part, pl.UInt32).alias("part")) for part, one in enumerate(results)])
    if rows.select(pl.struct(_IDENTITY).n_unique()).item() == rows.height:
        return tuple(results)
    counted = rows.with_columns(pl.struct(FIELDS).n_unique().over(_IDENTITY).alias("variants"))
    contradictory = counted.filter(pl.col("variants") > 1).with_columns(
        pl.format("{} different rows for one product, period and trade date", "variants").alias("detail")
    )
    agreed = counted.filter(pl.col("variants") == 1).unique(_IDENTITY, keep="first", maintain_order=True)
    return tuple(
        replace(
            one,
            rows=agreed.filter(pl.col("part") == position).select(one.rows.columns),
            quarantine=_clean(
                pl.concat(
                    [
                        one.quarantine,
                        _report(part, contradictory.filter(pl.col("part") == position), _FIRST, Reason.DUPLICATE_KEY),
                    ]
                )
            ),
        )
        for position, (part, one) in enumerate(zip(parts, results, strict=True))
    )


def _checks(parsed: ParsedQuotes, rows: pl.DataFrame, now: datetime | None) -> Iterator[_Check]:
    """Yield the checks in order; a quote is reported by the first that it fails."""
    curve, traded = pl.col("curve"), pl.col("trade_date")
    start, end = pl.col("delivery_start"), pl.col("delivery_end")
    yield _Check(curve.is_null(), "curve", Reason.MISSING_FIELD, "the quote names no product")
    if wrong := _no_keys(rows):
        yield _Check(curve.is_in(wrong), "curve", Reason.UNKNOWN_CODE, pl.format("{} is not a curve key", curve))
    yield _Check(traded.is_null(), "trade_date", Reason.MISSING_FIELD, "the quote has no trade date")
    yield _Check(start.is_null() | end.is_null(), "delivery_start", Reason.MISSING_FIELD, "the quote has no delivery period")
    since, until = parsed.dataset.plausible.since, _last_day(now)
    yield _Check(
        ~traded.is_between(since, until),
        "trade_date",
        Reason.INVALID_TIME,
        pl.format("trade date {} is not from {} to {}", traded, pl.lit(str(since)), pl.lit(str(until))),
    )
    if (stated := parsed.stated_trade_date) is not None:
        detail = pl.format("trade date {}, and the name of the file says {}", traded, pl.lit(str(stated)))
        yield _Check(traded != stated, "trade_date", Reason.INVALID_TIME, detail)
    span = pl.format("delivery {} to {}", start, end)
    yield _Check(
        end <= start, "delivery_end", Reason.INVALID_TIME, pl.concat_str(span, pl.lit(": the end is not after the start"))
    )
    far = (end > traded + LONGEST) | (end < traded - ENDED)
    yield _Check(far, "delivery_start", Reason.INVALID_TIME, pl.format("{}, quoted on {}, is too far from it", span, traded))
    for name in FIELDS:
        field = pl.col(name)
        yield _Check(
            ~field.fill_null(0.0).is_finite(),
            name,
            Reason.NON_NUMERIC,
            pl.format("{} is {}, not a finite number", pl.lit(name), field),
        )
        yield _Check(
            field.fill_null(0.0).abs() >= MOST, name, Reason.OUT_OF_BOUNDS, pl.format("{} {} is absurd", pl.lit(name), field)
        )
    for name in ("volume_mwh", "open_interest"):
        field = pl.col(name)
        yield _Check(field.fill_null(0.0) < 0, name, Reason.OUT_OF_BOUNDS, pl.format("{} {} is negative", pl.lit(name), field))
    for low, high, words in (("bid", "ask", "crossed: bid {} above ask {}"), ("low", "high", "low {} above high {}")):
        crossed = (pl.col(low) > pl.col(high)).fill_null(False)
        yield _Check(crossed, low, Reason.INCONSISTENT, pl.format(words, low, high))


def _no_keys(rows: pl.DataFrame) -> list[str]:
    return [key for key in rows["curve"].unique().drop_nulls().to_list() if not _is_key(key)]


def _is_key(text: str) -> bool:
    try:
        CurveKey.parse(text)
    except InvalidCurveKey:
        return False
    return True


def _last_day(now: datetime | None) -> date:
    return now.date() + _TOLERANCE if now is not None else date.max


def _clean(quarantine: pl.DataFrame) -> pl.DataFrame:
    ordered = quarantine.sort("line", maintain_order=True)
    return ordered.with_columns(storable_column(pl.col("column", "raw", "detail")))


def _report(parsed: ParsedQuotes, failed: pl.DataFrame, column: str, reason: Reason) -> pl.DataFrame:
    """Return the report of quotes that fail; ``column``: the field, where no cell says where a quote stands."""
    if failed.is_empty():
        return pl.DataFrame(schema=REFUSED)
    where = pl.col("cell").fill_null(column) if "cell" in failed.columns else pl.lit(column)
    return failed.select(
        "line",
        where.alias("column"),
        pl.Series("raw", [parsed.raw(line) for line in failed["line"]], dtype=pl.String),
        pl.lit(str(reason)).alias("reason"),
        "detail",
    ).select(list(REFUSED))
