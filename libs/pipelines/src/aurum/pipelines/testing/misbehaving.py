"""A registry whose parsers misbehave as the first line of a file says, to test what a parser can do to its process."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

import polars as pl

from aurum.core.frames import PARSED, REFUSED
from aurum.core.frequency import Frequency
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import Dataset, FileFormat, Measure, Parsed, Source, SourceFile, describe_series

_DATASET = Dataset("misbehaving", "values", "Values", "UTC", Frequency.HOUR, (Measure("value", "MW"),))
_MEGABYTE = 1 << 20


def misbehaving_registry() -> Registry:
    """Return the registry; its one format reads files that begin with ``<misbehave``."""
    file_format = FileFormat("misbehaving", (_DATASET,), lambda document: document.content.startswith(b"<misbehave"), _parse)
    return Registry([Source("misbehaving", "Misbehaving", "https://example.org", (file_format,))])


def misbehaving(how: str) -> SourceFile:
    """Return a file whose parser does what ``how`` says: one of the words in ``_parse``."""
    return SourceFile(f"{how}.xml", f"<misbehave {how}>".encode())


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    match document.content[:-1].split()[1].decode():
        case "abort":
            os.abort()
        case "sleep":
            time.sleep(3600)
        case "spin":
            while True:
                pass
        case "allocate":
            hoard: list[bytes] = []
            while True:
                hoard.append(b"x" * 64 * _MEGABYTE)
        case "allocate-natively":
            pl.zeros(1 << 40, eager=True)
        case "exit":
            os._exit(3)
        case "raise":
            raise ZeroDivisionError(f"cell {'x' * 1000}")
        case "panic":
            raise PanicException("a panic of native code")
        case "print":
            os.write(2, b"y" * 4 * _MEGABYTE)
        case "flood":
            return (_parsed(2_000_000),)
        case _:
            pass
    return (_parsed(1),)


def _parsed(count: int) -> Parsed:
    first = datetime(2025, 1, 1, tzinfo=UTC)
    rows = pl.DataFrame({"line": pl.int_range(1, count + 1, eager=True)}).select(
        location=pl.lit("A"),
        measure=pl.lit("value"),
        ts=pl.lit(first) + pl.duration(hours=pl.col("line") % 8760),
        value=pl.col("line").cast(pl.Float64),
        quality=pl.lit(0, pl.Int16),
        version=pl.lit(0, pl.Int16),
        line=pl.col("line").cast(pl.UInt32),
    )
    rows = rows.cast(PARSED)
    return Parsed(_DATASET, rows, describe_series(_DATASET, rows), pl.DataFrame(schema=REFUSED), count, lambda _: "")


class PanicException(BaseException):
    """An exception like that of a panic in native code. Every native library has its own class for it."""
