"""Samples of MISO, SPP, AESO and IESO."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from .sample import CONGESTION_AND_LOSS, DAY, FIVES, HOURS, Sample, csv

_HE = [f"HE {hour}" for hour in range(1, 25)]
_MISO_ROWS = [
    ["INVENTED.HUB", "Hub", part, *(f"{at + hour}.25" for hour in range(1, 25))]
    for part, at in (("LMP", 50), ("MCC", 2), ("MLC", 1))
]
SPP_HEADER = ["Interval", "GMTIntervalEnd", "Settlement Location", "Pnode", "LMP", "MLC", "MCC", "MEC"]
SPP_STAMP = "%m/%d/%Y %H:%M:%S"


def _spp(dataset: str, name: str, ends: Sequence[timedelta], neighbours: tuple[str, ...], *, neutral: bool) -> Sample:
    places = ("INVENTED_HUB", "INVENTED_NORTH", "INVENTED_SOUTH")
    rows = [
        [
            f"{DAY + at:{SPP_STAMP}}",
            f"{DAY + at + timedelta(hours=5):{SPP_STAMP}}",
            place,
            "P0",
            35.0 + n + congestion + loss,
            loss,
            congestion,
            f"{35 + n}.0",
        ]
        for n, at in enumerate(ends)
        for place, (congestion, loss) in zip(places, CONGESTION_AND_LOSS, strict=True)
    ]
    return Sample(
        (f"spp:{dataset}",),
        name,
        csv(SPP_HEADER, rows),
        neutral=neutral,
        stamps=(SPP_STAMP,),
        ids=places,
        numbers=("38.25",),
        exchange=("MLC", "MCC"),
        total=("LMP", "MEC"),
        energy=("MEC", "MCC"),
        shift=tuple(SPP_HEADER[-4:]),
        second="Interval",
        odd=("Settlement Location", "LMP"),
        neighbours=neighbours,
    )


def _ieso() -> Sample:
    hours = "\n".join(
        f"<HourlyData><Hour>{n}</Hour><FuelTotal><Fuel>NUCLEAR</Fuel><EnergyValue><OutputQuality>0</OutputQuality>"
        f"<Output>{9100 + n}</Output></EnergyValue></FuelTotal></HourlyData>"
        for n in range(1, 7)
    )
    return Sample(
        ("ieso:gen_output_by_fuel_hourly",),
        "PUB_GenOutputbyFuelHourly_2025.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<Document docID="GenOutputbyFuelHourly" xmlns="http://www.ieso.ca/schema">'
        "<DocHeader><CreatedAt>2025-07-05T08:00:00</CreatedAt></DocHeader><DocBody>\n"
        f"<DailyData>\n<Day>2025-07-04</Day>\n{hours}\n</DailyData>\n</DocBody></Document>\n",
        stamps=("%Y-%m-%d",),
        numbers=("9103",),
        neighbours=("PUB_GenOutputbyFuelHourly_2024.xml",),
    )


_CSD = """Current Supply Demand Report

Last Update : Jul 04, 2025 23:32

Alberta Total Net Generation,300
Net Actual Interchange,20
Alberta Internal Load (AIL),280

COGENERATION,200,150,5
WIND,250,140,0
ENERGY STORAGE,100,10,0
TOTAL,550,300,5

British Columbia,25
Montana,-5
TOTAL,20

ASSET,MC,TNG,DCR
Invented One (INV1),200,150,5
Invented Two (INV2)*,250,140,0
Invented Three (INV3),100,10,0
"""
OTHERS = (
    Sample(
        ("miso:da_expost_lmp",),
        "20250704_da_expost_lmp.csv",
        "Day Ahead Market ExPost LMPs\n7/4/2025\n\n,,,All Hours-Ending are Eastern Standard Time (EST)\n"
        + csv(["Node", "Type", "Value", *_HE], _MISO_ROWS),
        stamps=("%m/%d/%Y",),
        ids=(),
        numbers=("72.25",),
        exchange=("HE 3", "HE 4"),
        odd=("Node", "HE 3"),
        neighbours=("20250704_da_exante_lmp.csv", "20250704_rt_lmp_final.csv", "20250407_da_expost_lmp.csv"),
        header_line=5,
    ),
    _spp(
        "da_lmp_sl",
        "DA-LMP-SL-202507040100.csv",
        [at + timedelta(hours=1) for at in HOURS],
        ("RTBM-LMP-SL-202507040100.csv", "DA-LMP-B-202507040100.csv", "DA-LMP-SL-202504070100.csv"),
        neutral=True,
    ),
    _spp(
        "rtbm_lmp_sl",
        "RTBM-LMP-DAILY-SL-20250704.csv",
        [at + timedelta(minutes=5) for at in FIVES],
        ("WEIS-RTBM-LMP-SL-202507040005.csv", "DA-LMP-SL-202507040100.csv", "RTBM-LMP-SL-202507050005.csv"),
        neutral=False,
    ),
    Sample(
        ("aeso:current_supply_demand",),
        "CSDReportServlet.csv",
        _CSD,
        stamps=("%b %d, %Y",),
        ids=("INV2",),
        numbers=("280",),
    ),
    _ieso(),
)
