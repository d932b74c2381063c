"""Samples of FRED, ECB, datahub, the Drought Monitor and NOAA."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from .sample import Sample, csv

ISO = ("%Y-%m-%d",)
JULY = [f"2025-07-{day:02}" for day in range(4, 10)]
MONTHS = [f"2025-{month:02}-01" for month in range(2, 8)]
TUESDAYS = [f"{date(2025, 7, 8) + timedelta(weeks=n):%Y%m%d}" for n in range(4)]


def _series(
    name: str, dataset: str, header: Sequence[str], dates: Sequence[str], *, neutral: bool = True, **more: Any
) -> Sample:
    rows = [[day, f"{10 + n}.25"] for n, day in enumerate(dates)]
    return Sample(
        (dataset,), name, csv(header, rows), neutral=neutral, stamps=ISO, numbers=("12.25",), odd=(header[0], header[1]), **more
    )


AGENCIES = (
    _series("DHHNGSP.csv", "fred:observations", ["observation_date", "DHHNGSP"], JULY, neighbours=("MHHNGSP.csv",)),
    Sample(
        ("fred:observations",),
        "CPIAUCSL.json",
        json.dumps(
            {
                "realtime_start": "2025-08-13",
                "observation_start": "1600-01-01",
                "units": "lin",
                "observations": [
                    {"realtime_start": "2025-08-13", "date": day, "value": f"{320 + n}.5"} for n, day in enumerate(MONTHS)
                ],
            }
        ),
        neutral=False,
        stamps=ISO,
        numbers=("322.5",),
        neighbours=("DHHNGSP.json",),
    ),
    Sample(
        ("ecb:reference_rates",),
        "eurofxref-hist.csv",
        csv(
            ["Date", "USD", "JPY", "DKK", "GBP", "HKD"],
            [[day, f"1.17{n}", f"170.{n}5", "7.4610", f"0.86{n}", f"9.2{n}"] for n, day in enumerate(reversed(JULY))],
        ),
        stamps=ISO,
        numbers=("1.172",),
        exchange=("USD", "GBP"),
        shift=("USD", "JPY", "DKK", "GBP", "HKD"),
        odd=("Date", "USD"),
    ),
    _series(
        "henry_hub_daily.csv",
        "datahub:natural_gas_daily",
        ["Date", "Price"],
        JULY,
        neutral=False,
        neighbours=("henry_hub_monthly.csv",),
    ),
    _series("wti_daily.csv", "datahub:oil_daily", ["Date", "Price"], JULY, neutral=False, neighbours=("wti_weekly.csv",)),
    _series(
        "henry_hub_monthly.csv",
        "datahub:natural_gas_monthly",
        ["Month", "Price"],
        [day[:7] for day in MONTHS],
        neutral=False,
        neighbours=("henry_hub_daily.csv",),
    ),
    Sample(
        ("datahub:cpi_us",),
        "cpiai.csv",
        csv(["Date", "Index", "Inflation"], [[day, f"{320 + n}.5", "0.25"] for n, day in enumerate(MONTHS)]),
        stamps=ISO,
        numbers=("322.5",),
        exchange=("Index", "Inflation"),
        odd=("Date", "Index"),
    ),
    Sample(
        ("datahub:exchange_rates_monthly",),
        "monthly.csv",
        csv(["Date", "Country", "Exchange rate"], [[day, "Canada", f"1.3{n}5"] for n, day in enumerate(MONTHS)]),
        stamps=ISO,
        ids=("Canada",),
        numbers=("1.325",),
        odd=("Country", "Exchange rate"),
    ),
    *(
        Sample(
            (f"drought_monitor:area_percent_{kind}",),
            "GetDroughtSeverityStatisticsByAreaPercent.csv",
            csv(
                [
                    "MapDate",
                    "AreaOfInterest",
                    "None",
                    "D0",
                    "D1",
                    "D2",
                    "D3",
                    "D4",
                    "ValidStart",
                    "ValidEnd",
                    "StatisticFormatID",
                ],
                [[day, "INVENTED", *shares, day, day, code] for day in TUESDAYS],
            ),
            neutral=False,
            stamps=("%Y%m%d",),
            ids=("INVENTED",),
            numbers=(shares[2],),
            exchange=("D2", "D3"),
            odd=("AreaOfInterest", "D0"),
            neighbours=("GetDroughtSeverityStatisticsByPopulationPercent.csv", "GetDroughtSeverityStatisticsByArea_sq_mi.csv"),
        )
        for kind, code, shares in (
            ("cumulative", 1, ["40.25", "59.75", "35.5", "12.0", "3.0", "1.5"]),
            ("categorical", 2, ["40.25", "24.25", "23.5", "9.0", "1.5", "1.5"]),
        )
    ),
    Sample(
        ("drought_monitor:dsci",),
        "dm_export_20250708_20250731.csv",
        csv(["Name", "MapDate", "DSCI"], [["CONUS", day, 51 + n] for n, day in enumerate(TUESDAYS)]),
        stamps=("%Y%m%d",),
        ids=("CONUS",),
        numbers=("53",),
        odd=("Name", "DSCI"),
        neighbours=("dm_export_20240708_20240731.csv",),
    ),
    Sample(
        ("noaa:ghcn_daily",),
        "USW00099999.csv",
        csv(
            [
                "STATION",
                "DATE",
                "LATITUDE",
                "LONGITUDE",
                "ELEVATION",
                "NAME",
                "PRCP",
                "PRCP_ATTRIBUTES",
                "TMAX",
                "TMAX_ATTRIBUTES",
            ],
            [
                ["USW00099999", day, "40.5", "-74.0", "10.0", '"INVENTED, NY US"', f"{80 + n}", '",,W"', f"{250 + n}", '",,W"']
                for n, day in enumerate(JULY)
            ],
        ),
        stamps=ISO,
        ids=("USW00099999",),
        numbers=("252",),
        odd=("STATION", "TMAX"),
        neighbours=("USW00011111.csv",),
    ),
    Sample(
        ("noaa:ghcn_daily",),
        "ghcn_USW00099999.csv",
        csv(
            ["date", "attr", "value", "a", "b", "c", "d"],
            [[day.replace("-", ""), "TMAX", 250 + n, "", "", "W", 2400] for n, day in enumerate(JULY)],
        ),
        neutral=False,
        stamps=("%Y%m%d",),
        numbers=("252",),
        odd=("attr", "value"),
    ),
    Sample(
        ("noaa:ghcn_daily",),
        "by_station_USW00099999.csv",
        csv(
            ["ID", "DATE", "ELEMENT", "DATA_VALUE", "M_FLAG", "Q_FLAG", "S_FLAG", "OBS_TIME"],
            [["USW00099999", day.replace("-", ""), "TMAX", 250 + n, "", "", "W", 2400] for n, day in enumerate(JULY)],
        ),
        stamps=("%Y%m%d",),
        ids=("USW00099999",),
        numbers=("252",),
        odd=("ID", "DATA_VALUE"),
        neighbours=("USW00011111.csv",),
    ),
    Sample(
        ("noaa:past_weather",),
        "Invented_Weather.csv",
        '"INVENTED WEATHER OFFICE, IN US (USC00199999)"\n'
        + csv(
            ["Date", "TAVG (Degrees Fahrenheit)", "TMAX (Degrees Fahrenheit)", "TMIN (Degrees Fahrenheit)", "PRCP (Inches)"],
            [[day, "", f"{90 + n}", "66", "0.25"] for n, day in enumerate(JULY)],
        ),
        stamps=ISO,
        ids=("USC00199999",),
        numbers=("92",),
        exchange=("TMAX (Degrees Fahrenheit)", "TMIN (Degrees Fahrenheit)"),
        odd=("Date", "PRCP (Inches)"),
        header_line=2,
        neighbours=("USW00011111_Weather.csv",),
    ),
)
