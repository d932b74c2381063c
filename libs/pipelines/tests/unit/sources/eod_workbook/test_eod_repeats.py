"""Cells of a workbook against a model of ten lines: a quote is whole and agreed, or it is held back with its cells."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.catalog import Reason
from aurum.pipelines.sources.eod_workbook.prices import CELL_FIELDS
from aurum.pipelines.sources.eod_workbook.repeats import QUOTE, quotes_of

Cell = tuple[str, int, float | None, float | None, float | None, bool]
"""Curve, delivery month, settle, bid and ask, and whether the cell can be read."""

_PRICES = st.sampled_from([None, None, -1.5, 0.0, 31.25, 31.5])
_CELLS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("AB"), st.integers(1, 3), _PRICES, st.none(), st.none(), st.just(True)),
        st.tuples(st.sampled_from("AB"), st.integers(1, 3), st.none(), _PRICES, _PRICES, st.just(True)),
        st.tuples(st.sampled_from("AB"), st.integers(1, 3), st.none(), st.none(), st.none(), st.just(False)),
    ),
    max_size=12,
)


def frame(cells: list[Cell]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (
                curve,
                date(2026, month, 1),
                date(2026, month + 1, 1),
                settle,
                bid,
                ask,
                None if sound else "non_numeric",
                line,
                f"'S'!B{line}",
                "x",
            )
            for line, (curve, month, settle, bid, ask, sound) in enumerate(cells, start=1)
        ],
        schema={
            **dict(zip(QUOTE, (pl.String, pl.Date, pl.Date), strict=True)),
            **dict.fromkeys(CELL_FIELDS, pl.Float64),
            **{"why": pl.String, "line": pl.UInt32, "cell": pl.String, "text": pl.String},
        },
        orient="row",
    )


@given(_CELLS)
def test_a_quote_is_stored_when_its_cells_agree_and_held_back_otherwise(cells: list[Cell]) -> None:
    values: dict[tuple[str, int], list[set[float]]] = defaultdict(lambda: [set(), set(), set()])
    unread: set[tuple[str, int]] = set()
    for curve, month, *fields, sound in cells:
        stated = values[curve, month]
        for place, value in enumerate(fields):
            stated[place] |= set() if value is None else {value}
        unread |= set() if sound else {(curve, month)}
    expected: dict[tuple[str, int], tuple[float | None, ...]] = {}
    for key, stated in values.items():
        settle, bid, ask = (min(each, default=None) for each in stated)
        crossed = bid is not None and ask is not None and bid > ask
        if key not in unread and not crossed and all(len(each) < 2 for each in stated):
            expected[key] = (settle, bid, ask)
    quotes, held = quotes_of(frame(cells))
    rows = quotes.select("curve", pl.col("delivery_start").dt.month().cast(pl.Int64), *CELL_FIELDS).rows()
    assert {(curve, month): tuple(fields) for curve, month, *fields in rows} == expected
    blamed = {(curve, start.month) for curve, start in held.select("curve", "delivery_start").rows()}
    assert blamed == set(values) - set(expected)
    assert set(held["why"]) <= {str(reason) for reason in (Reason.NON_NUMERIC, Reason.DUPLICATE_KEY, Reason.INCONSISTENT)}
