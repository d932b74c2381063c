"""Samples of EIA."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from .sample import DAYS, Sample, csv

FRIDAYS = [date(2025, 7, 4) + timedelta(weeks=n) for n in range(4)]
PRICE_TITLE = "Henry Hub Natural Gas Spot Price (Dollars per Million Btu)"


def _answer(
    dataset: str, frequency: str, records: Sequence[Mapping[str, object]], stamps: tuple[str, ...], **more: Any
) -> Sample:
    response = {"total": str(len(records)), "dateFormat": "x", "frequency": frequency, "data": list(records)}
    return Sample(
        (f"eia:{dataset}",), f"{dataset}.json", json.dumps({"response": response}), stamps=stamps, numbers=("2.875",), **more
    )


def _statistics(frequency: str, periods: Sequence[str], stamps: tuple[str, ...]) -> Sample:
    records = [
        {"period": period, "series": "INVENTED1", "series-description": "Invented", "value": f"{1 + n}.875", "units": "$/MMBTU"}
        for n, period in enumerate(periods)
    ]
    return _answer(f"api_{frequency}", frequency, records, stamps, ids=("INVENTED1",))


def _grid(dataset: str, facets: Mapping[str, str]) -> Sample:
    records = [
        {"period": f"2025-07-04T{hour:02}", **facets, "value": f"{hour}.875", "value-units": "megawatthours"}
        for hour in range(1, 6)
    ]
    return _answer(dataset, "hourly", records, ("%Y-%m-%dT%H",))


def _chart(letter: str, word: str, dates: Sequence[str], stamps: tuple[str, ...], step: str) -> Sample:
    title = "Henry Hub Natural Gas Spot Price Dollars per Million Btu"
    rows = "\n".join(f"{text},{3 + n}.25" for n, text in enumerate(dates))
    return Sample(
        (f"eia:navigator_{step}",),
        f"Henry_Hub_Natural_Gas_Spot_Price_{step}.csv",
        f"Henry Hub Natural Gas Spot Price\nhttps://www.eia.gov/dnav/ng/hist/rngwhhd{letter}.htm\n08:35:42 GMT-0500 (EST)\n"
        f"Source: Invented\n{word},{title}\n{rows}\n",
        stamps=stamps,
        numbers=("5.25",),
        odd=(word, title),
        header_line=5,
    )


_WORKBOOK = {
    "Contents": [
        ["Workbook Contents"],
        [PRICE_TITLE],
        ["Worksheet Name", "Description", "# Of Series", "Frequency", "Latest Data for"],
        ["Data 1", PRICE_TITLE, 1, "Daily", "7/8/2025"],
    ],
    "Data 1": [
        ["Back to Contents", f"Data 1: {PRICE_TITLE}"],
        ["Sourcekey", "RNGWHHD"],
        ["Date", PRICE_TITLE],
        *([date(2025, 7, 4) + at, 3.25 + n] for n, at in enumerate(DAYS)),
    ],
}
_AREAS = (
    "East Region",
    "Midwest Region",
    "Mountain Region",
    "Pacific Region",
    "South Central Region",
    "Salt",
    "NonSalt",
    "Total Lower 48",
)
_STORAGE = {
    "html_report_history": [
        ["LATEST ESTIMATES (Bcf) AS OF JULY 31, 2025"],
        ["Week ending", "Source", *_AREAS],
        *([friday, "EIA-912", 700 + n, 800, 200, 250, 1100, 300, 800, 3050] for n, friday in enumerate(FRIDAYS)),
    ]
}
_HUBS = [
    "Price hub",
    "Trade date",
    "Delivery start date",
    "Delivery end date",
    "High price $/MWh",
    "Low price $/MWh",
    "Wtd avg price $/MWh",
    "Change",
    "Daily volume MWh",
    "Number of trades",
    "Number of counterparties",
]
EIA = (
    _statistics("daily", [f"2025-07-{day:02}" for day in range(4, 9)], ("%Y-%m-%d",)),
    _statistics("weekly", [str(friday) for friday in FRIDAYS], ("%Y-%m-%d",)),
    _statistics("monthly", [f"2025-{month:02}" for month in range(3, 7)], ()),
    _statistics("quarterly", ["2024-Q3", "2024-Q4", "2025-Q1"], ()),
    _statistics("annual", ["2022", "2023", "2024"], ()),
    _grid("rto_region", {"respondent": "INVA", "type": "D"}),
    _grid("rto_subregion", {"parent": "INVA", "subba": "INVS"}),
    _grid("rto_fuel", {"respondent": "INVA", "fueltype": "SUN"}),
    _grid("rto_interchange", {"fromba": "INVA", "toba": "INVB"}),
    _chart("d", "Day", [f"07/{day:02}/2025" for day in range(8, 3, -1)], ("%m/%d/%Y",), "daily"),
    _chart("w", "Week of", [f"{friday:%m/%d/%Y}" for friday in reversed(FRIDAYS)], ("%m/%d/%Y",), "weekly"),
    _chart("m", "Month", ["Jun 2025", "May 2025", "Apr 2025", "Mar 2025"], (), "monthly"),
    _chart("a", "Year", ["01/01/2024", "01/01/2023", "01/01/2022"], ("%m/%d/%Y",), "annual"),
    Sample(
        ("eia:navigator_daily",),
        "HenryHubData.csv",
        f"Back to Contents,Data 1: {PRICE_TITLE}\nSourcekey,RNGWHHD\nDate,{PRICE_TITLE}\n"
        + "".join(f'"Jul {day:02}, 2025",{day}.25\n' for day in range(4, 9)),
        stamps=("%b %d, %Y",),
        ids=("RNGWHHD",),
        numbers=("6.25",),
        header_line=3,
    ),
    Sample(("eia:navigator_daily",), "RNGWHHDd.xlsx", sheets=_WORKBOOK, neighbours=("RNGC1d.xlsx",)),
    Sample(("eia:gas_storage_weekly",), "ngshistory.xlsx", sheets=_STORAGE),
    Sample(
        ("eia:gas_storage_weekly",),
        "eia_ng_storage_weekly.csv",
        csv(["date", "value"], [[str(friday), 3000 + n] for n, friday in enumerate(FRIDAYS)]),
        neutral=False,
        stamps=("%Y-%m-%d",),
        numbers=("3002",),
        odd=("date", "value"),
    ),
    Sample(
        ("eia:wholesale_hubs",),
        "ice_electric-2025final.xlsx",
        sheets={
            "2025": [
                _HUBS,
                *(
                    [
                        "Invented Hub Peak",
                        date(2025, 7, 2) + at,
                        date(2025, 7, 3) + at,
                        date(2025, 7, 3) + at,
                        58,
                        53.5,
                        56.5,
                        1,
                        2400,
                        3,
                        5,
                    ]
                    for at in DAYS
                ),
            ]
        },
        neighbours=("ice_electric-2024final.xlsx", "ice_naturalgas-2025final.xlsx"),
    ),
)
