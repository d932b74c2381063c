"""Samples of ISO New England."""

from __future__ import annotations

import json

from .sample import CONGESTION_AND_LOSS, DAY, HOURS, Sample, csv

ISONE_HEADER = [
    "H",
    "Date",
    "Hour Ending",
    "Location ID",
    "Location Name",
    "Location Type",
    "Locational Marginal Price",
    "Energy Component",
    "Congestion Component",
    "Marginal Loss Component",
]


def _isone_report(dataset: str, name: str, title: str, neighbours: tuple[str, ...]) -> Sample:
    top = [f'"C","{title}"', f'"C","Filename: {name}"', '"C","Report for: 07/04/2025 - 07/04/2025"']
    header = ",".join(f'"{word}"' for word in ISONE_HEADER)
    places = ("4001", "4002", "4003")
    rows = [
        f'"D","07/04/2025","{n:02}","{place}","INVENTED PLACE","ZONE",'
        f"{39.25 + n + congestion + loss},{39 + n}.25,{congestion},{loss}"
        for n in range(1, 7)
        for place, (congestion, loss) in zip(places, CONGESTION_AND_LOSS, strict=True)
    ]
    types = '"H","Date","String","Number","String","String","$/MWh","$/MWh","$/MWh","$/MWh"'
    return Sample(
        (f"isone:{dataset}",),
        name,
        "\n".join([*top, header, types, *rows, f'"T","{len(rows)} lines"']) + "\n",
        stamps=("%m/%d/%Y",),
        ids=places,
        numbers=("43.5",),
        exchange=("Congestion Component", "Marginal Loss Component"),
        total=("Locational Marginal Price", "Energy Component"),
        energy=("Energy Component", "Congestion Component"),
        shift=tuple(ISONE_HEADER[-4:]),
        odd=("Location ID", "Locational Marginal Price"),
        neighbours=neighbours,
        header_line=4,
        untouched='"C"',
    )


def _isone_answer(dataset: str, name: str, neighbours: tuple[str, ...] = ()) -> Sample:
    records = [
        {
            "BeginDate": f"{DAY + at:%Y-%m-%dT%H:%M:%S}.000-04:00",
            "Location": {"@LocId": "4001", "@LocType": "ZONE", "$": "INVENTED PLACE"},
            "LmpTotal": 40.5 + n,
            "EnergyComponent": 39.25 + n,
            "CongestionComponent": 1.0,
            "LossComponent": 0.25,
        }
        for n, at in enumerate(HOURS)
    ]
    text = json.dumps({"HourlyLmps": {"HourlyLmp": records}})
    return Sample(
        (f"isone:{dataset}",),
        name,
        text,
        neutral=dataset == "hourlylmp",
        stamps=("%Y-%m-%dT%H:%M:%S",),
        ids=("4001",),
        numbers=("42.5",),
        neighbours=neighbours,
    )


SMD = [
    "Date",
    "Hr_End",
    "DA_Demand",
    "RT_Demand",
    "DA_LMP",
    "DA_EC",
    "DA_CC",
    "DA_MLC",
    "RT_LMP",
    "RT_EC",
    "RT_CC",
    "RT_MLC",
    "Dry_Bulb",
    "Dew_Point",
]
_SMD_ROWS = [
    ["2025-07-04", f"{n:02}", 1500 + n, 1511, 45.5, 44.5, 0.75, 0.25, 46.5, 45.5, 0.75, 0.25, 71, 60] for n in range(1, 7)
]
ISONE = (
    _isone_report(
        "da_lmp",
        "WW_DALMP_ISO_20250704.csv",
        "Day-Ahead Energy Market Hourly LMP Report",
        ("lmp_rt_final_20250704.csv", "WW_DALMP_ISO_20250705.csv", "lmp_5min_20250704_00-04.csv"),
    ),
    _isone_report(
        "rt_lmp_prelim",
        "lmp_rt_prelim_20250704.csv",
        "Real-Time Energy Market Hourly LMP Report",
        ("lmp_rt_final_20250704.csv", "WW_DALMP_ISO_20250704.csv"),
    ),
    _isone_report(
        "rt_lmp_final",
        "lmp_rt_final_20250704.csv",
        "Real-Time Energy Market Hourly LMP Report",
        ("WW_DALMP_ISO_20250704.csv", "lmp_rt_prelim_20250704.csv"),
    ),
    _isone_answer("hourlylmp", "isone-2025-07-04.json"),
    _isone_answer("da_lmp", "hourlylmp_da_final_20250704.json", ("hourlylmp_da_final_20250705.json",)),
    Sample(
        ("isone:smd_hourly",),
        "smd_hourly_2025_CT.csv",
        csv(SMD, _SMD_ROWS),
        neutral=False,
        stamps=("%Y-%m-%d",),
        numbers=("1503",),
        exchange=("DA_CC", "DA_MLC"),
        total=("RT_LMP", "RT_MLC"),
        energy=("DA_EC", "DA_CC"),
        shift=("DA_LMP", "DA_EC", "DA_CC", "DA_MLC"),
        odd=("Hr_End", "DA_LMP"),
        neighbours=("smd_hourly_2024_CT.csv",),
    ),
    Sample(
        ("isone:smd_hourly",),
        "2025_smd_hourly.xlsx",
        sheets={"ISO NE CA": [SMD, *_SMD_ROWS], "CT": [SMD, *_SMD_ROWS]},
        neighbours=("2024_smd_hourly.xlsx",),
    ),
)
