"""Load forecast (``isolf``): one row per hour, one column per zone, six days from the day of the file's name.

    "Time Stamp","Capitl","Centrl","Dunwod","Genese","Hud Vl","Longil","Mhk Vl","Millwd","N.Y.C.","North","West","NYISO"

Stamps are the beginning of the hour, local, without a zone. Locations are the PTIDs of the zones, as in ``pal``: a header is
the zone's name in another case (``Capitl`` is CAPITL, 61757). The total has no PTID; its location is ``NYISO``. The file does
not say when it was made. Source of the layout: the files, and NYISO's report page P-7.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.nyiso.datasets import ISOLF
from aurum.pipelines.sources.nyiso.file_name import named
from aurum.pipelines.sources.nyiso.layout import by_header
from aurum.pipelines.sources.nyiso.stamps import with_instants
from aurum.pipelines.sources.nyiso.zones import LOAD_ZONES

_STAMP, _TOTAL = "Time Stamp", "NYISO"


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, [_STAMP, _TOTAL], refusals)
    rows_read = table.height + refusals.frame().height
    headers = _locations(name for name in table.columns if name not in (_STAMP, "line"))
    table = with_instants(table.with_columns(location=pl.lit(_TOTAL)), _STAMP, refusals)
    table = refusals.numbers(table, headers)
    # The file is wide: its columns are locations, which ``observations`` takes for measures.
    rows = observations(table, list(headers)).with_columns(location=pl.col("measure"), measure=pl.lit("load_forecast"))
    zones = pl.DataFrame({"location": list(headers), "location_name": list(headers.values())}).with_columns(
        pl.col("location_name").str.to_uppercase(),
        location_type=pl.when(pl.col("location") == _TOTAL).then(pl.lit("AREA")).otherwise(pl.lit("ZONE")),
    )
    series = describe_series(ISOLF, rows, locations=zones)
    return (Parsed(ISOLF, rows, series, refusals.frame(), rows_read, document.raw),)


def _locations(headers: Iterable[str]) -> dict[str, str]:
    """Return the headers by location id. Raises ``RefusedFile`` for a header that is not a zone."""
    known = {**LOAD_ZONES, _TOTAL: _TOTAL}
    named = {header: known.get(header.upper()) for header in headers}
    strange = [header for header, location in named.items() if location is None]
    if strange:
        raise RefusedFile(f"wrong header: no zone is called {', '.join(map(repr, strange))}", line=1)
    return {location: header for header, location in named.items() if location is not None}


ISOLF_FORMAT = FileFormat(
    "nyiso isolf",
    (ISOLF,),
    by_header(_STAMP, _TOTAL, "Capitl", report="isolf", hourly=True),
    _parse,
    # Six days, and a day more after the days on which NYISO publishes late.
    named=named("isolf", after=6),
    columns=(_STAMP, "Capitl", "Centrl", "Dunwod", "N.Y.C.", _TOTAL),
)
