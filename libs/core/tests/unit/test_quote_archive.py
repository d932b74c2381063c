"""The comparison of two copies of publications of quotes."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aurum.core.curves.quote_archive import RECORDED_QUOTES, quote_tally
from aurum.core.curves.quotes import FIELDS

KNOWN = datetime(2031, 1, 1, tzinfo=UTC)


def publications(settles: list[float | None], **changes: object) -> pl.DataFrame:
    content = {
        "curve_id": 1,
        "delivery_start": date(2031, 1, 1),
        "delivery_end": date(2031, 2, 1),
        "trade_date": [date(2030, 1, 30) + timedelta(days=number) for number in range(len(settles))],
        **dict.fromkeys(FIELDS, None),
        "settle": settles,
        "known_at": KNOWN,
        "recording_id": 7,
    }
    return pl.DataFrame({**content, **changes}, schema=RECORDED_QUOTES)


def test_a_part_is_a_product_in_a_month_of_trade_dates() -> None:
    tallies = quote_tally(pl.concat([publications([1.0, 2.0, 3.0]), publications([1.0], curve_id=2)]))
    assert tallies.select("curve_id", "month", "rows").rows() == [
        (1, date(2030, 1, 1), 2),
        (1, date(2030, 2, 1), 1),
        (2, date(2030, 1, 1), 1),
    ]


def test_a_tally_depends_on_no_order() -> None:
    frame = publications([None, *(float(number) for number in range(100))])
    assert_frame_equal(quote_tally(frame.sample(fraction=1, shuffle=True, seed=1)), quote_tally(frame))


@pytest.mark.parametrize(
    "changes",
    [
        {"delivery_start": date(2031, 1, 2)},
        {"delivery_end": date(2031, 2, 2)},
        {"trade_date": date(2030, 1, 31)},
        {"known_at": KNOWN + timedelta(microseconds=1)},
        {"recording_id": 8},
        {"settle": None},
        {"settle": 0.5},
        *({name: 0.0} for name in FIELDS if name != "settle"),
    ],
)
def test_every_field_counts_and_a_missing_one_is_not_zero(changes: dict[str, object]) -> None:
    one = quote_tally(publications([0.0]))
    other = quote_tally(publications([0.0], **changes))
    assert one["rows"].to_list() == other["rows"].to_list() == [1]
    assert one["checksum"].to_list() != other["checksum"].to_list()


def test_values_that_change_places_and_repeated_rows_are_noticed() -> None:
    one = quote_tally(publications([1.0], open=2.0))
    assert not one.equals(quote_tally(publications([2.0], open=1.0)))
    twice = quote_tally(pl.concat([publications([1.0])] * 2))
    assert not twice.select("checksum").equals(quote_tally(publications([1.0])).select("checksum"))
