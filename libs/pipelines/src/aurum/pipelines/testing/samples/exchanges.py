"""Samples of futures exchanges, and of the auction that German power futures settle on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from .sample import Sample, csv

_TRADED = ("2025-07-04", "2025-07-07", "2025-07-08")
_MONTHS = (("2025-08-01", "2025-09-01"), ("2025-09-01", "2025-10-01"))
_SERIAL_ZERO = date(1899, 12, 30)
_EEX = "Identifier;TimeStamp;Begin;End;Open;High;Low;Close;Settlement;Price;ValidationStatus;ChangeComment\n"


def _midnight(day: str) -> str:
    return f"{day}T00:00:00.000+0200"


def _eex_rows() -> str:
    rows: list[str] = []
    for number, traded in enumerate(_TRADED):
        for place, (begin, end) in enumerate(_MONTHS):
            times = ";".join(map(_midnight, (traded, begin, end)))
            traded_prices = f"{80 + number},00;{81 + number},50;{79 + number},75;{80 + number},25" if place == 0 else ";;;"
            rows.append(f"EEX_POWER_FUT_DE_BASE_M;{times};{traded_prices};{50 + 10 * place + number},25;;UNVALIDATED;\n")
    return _EEX + "".join(rows)


def _serials(days: Sequence[str]) -> list[int]:
    return [(date.fromisoformat(day) - _SERIAL_ZERO) // timedelta(days=1) for day in days]


EXCHANGES = (
    Sample(
        ("eex:power_futures",),
        "EEX_POWER_FUT_DE_BASE_M_2025.csv",
        _eex_rows(),
        stamps=("%Y-%m-%dT00:00:00.000",),
        ids=("EEX_POWER_FUT_DE_BASE_M",),
        numbers=("51,25",),
        neighbours=("EEX_POWER_FUT_DE_BASE_Q_2025.csv", "EEX_POWER_FUT_FR_BASE_M_2025.csv"),
    ),
    Sample(
        ("eex:day_ahead_auction",),
        "DE_day_ahead_auction_prices.csv",
        csv(["Date", "Day Ahead Auction Price EUR/MWh"], [[f"7/4/2025 {hour}:00", f"{50 + hour}.25"] for hour in range(6)]),
        neutral=False,
        stamps=("%m/%d/%Y %H:%M",),
        numbers=("52.25",),
        odd=("Date", "Day Ahead Auction Price EUR/MWh"),
    ),
    Sample(
        ("nymex:futures",),
        "WTI_Futures_2.csv",
        csv(
            ["t", "Value", "Expiry"],
            [
                [f"{traded}.00", f"{60 + number}.{place}5", expiry]
                for number, traded in enumerate(_serials(_TRADED))
                for place, expiry in enumerate(_serials(("2025-07-22", "2025-08-20")))
            ],
        ),
        neutral=False,
        numbers=("61.05",),
        odd=("t", "Value"),
    ),
    Sample(
        ("ice:futures",),
        "Brent_Futures.csv",
        csv(
            ["Date", "Settle", "Expiry"],
            [
                [traded, f"{70 + number}.{place}5", expiry]
                for number, traded in enumerate(_TRADED)
                for place, expiry in enumerate(("2025-07-31", "2025-08-29"))
            ],
        ),
        neutral=False,
        stamps=("%Y-%m-%d",),
        numbers=("71.05",),
        odd=("Date", "Settle"),
    ),
)
