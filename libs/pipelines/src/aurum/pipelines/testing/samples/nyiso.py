"""Samples of NYISO."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from .sample import DAY, FIVES, HOURS, QUARTERS, Sample, csv

LBMP = ["Time Stamp", "Name", "PTID", "LBMP ($/MWHr)", "Marginal Cost Losses ($/MWHr)", "Marginal Cost Congestion ($/MWHr)"]


def _ptids(first: str) -> tuple[str, ...]:
    return tuple(str(int(first) - n) for n in range(3))


def _prices(first: str, hour: int) -> list[list[object]]:
    """Return name, PTID and prices of three locations, whose energy price is 39 and the number of the hour."""
    parts = ((1.25, -0.5), (2.0, -3.0), (0.5, 0.0))
    ptids = _ptids(first)
    return [
        ["INVENTED", ptid, 39.0 + hour + loss - congestion, loss, congestion]
        for ptid, (loss, congestion) in zip(ptids, parts, strict=True)
    ]


def _lbmp(
    dataset: str, offsets: Sequence[timedelta], stamp: str, ptid: str, neighbours: tuple[str, ...], **more: Any
) -> Sample:
    rows = [[f"{DAY + at:{stamp}}", *row] for n, at in enumerate(offsets) for row in _prices(ptid, n)]
    return Sample(
        (f"nyiso:{dataset}",),
        f"20250704{dataset}.csv",
        csv(LBMP, rows),
        stamps=(stamp,),
        ids=_ptids(ptid),
        numbers=("42.75",),
        exchange=(LBMP[-2], LBMP[-1]),
        total=(LBMP[-3], LBMP[-1]),
        shift=tuple(LBMP[-3:]),
        odd=("PTID", "LBMP ($/MWHr)"),
        neighbours=neighbours,
        **more,
    )


def _extra(
    dataset: str, header: Sequence[str], *rows: Sequence[str], ends: bool, ids: tuple[str, ...], number: str, kind: str = ""
) -> Sample:
    """A real-time file whose third stamp is an extra run between the five-minute ones."""
    offsets = [*(at + timedelta(minutes=5 * ends) for at in FIVES), timedelta(minutes=17, seconds=34)]
    stamps = [f"{DAY + at:%m/%d/%Y %H:%M:%S}" for at in offsets]
    lines = [[stamp, *(cell.format(n=n) for cell in row)] for n, stamp in enumerate(stamps) for row in rows]
    return Sample(
        (f"nyiso:{dataset}", f"nyiso:{dataset}_extra"),
        f"20250704{kind or dataset}.csv",
        csv(header, lines),
        stamps=("%m/%d/%Y %H:%M:%S",),
        ids=ids,
        numbers=(number,),
        neighbours=(f"20250705{kind or dataset}.csv", "20250704damlbmp_zone.csv"),
        odd=(next(name for name in header if name in ("PTID", "Point ID", "Fuel Category")), header[-1]),
        exchange=(header[-2], header[-1]) if dataset.startswith(("realtime", "external")) else None,
        total=(header[-3], header[-2]) if dataset.startswith("realtime") else None,
        shift=tuple(header[-3:]) if dataset.startswith("realtime") else (),
    )


def _real_time(kind: str, ptid: str) -> Sample:
    """Prices of three locations, whose energy price is 29 and the number of the interval."""
    ptids = _ptids(ptid)
    parts = (("3{n}.75", "1.25", "-0.5"), ("3{n}.5", "0.5", "-1.0"), ("3{n}.25", "1.5", "0.25"))
    rows = [["INVENTED", each, *prices] for each, prices in zip(ptids, parts, strict=True)]
    return _extra(f"realtime_{kind}", LBMP, *rows, ends=True, ids=ptids, number="32.75")


_ENDS = [at + timedelta(minutes=15) for at in QUARTERS]
OASIS_DAM = [
    "Eastern Date Hour",
    "Eastern Date Hour Time Zone",
    "Zone Name",
    "Zone PTID",
    "DAM Zonal LBMP",
    "DAM Zonal Losses",
    "DAM Zonal Congestion",
    "DAM Zonal Price Version",
]
OASIS_RTC = [
    "RTC End Time Stamp",
    "Zone Name",
    "Zone PTID",
    "RTC Zonal LBMP",
    "RTC Zonal Losses",
    "RTC Zonal Congestion",
    "RTC Zonal Price Version",
]
ISOLF = ["Time Stamp", "Capitl", "Centrl", "West", "NYISO"]
NYISO = (
    _lbmp(
        "damlbmp_zone",
        HOURS,
        "%m/%d/%Y %H:%M",
        "61761",
        ("20250704rtlbmp_zone.csv", "20250704damlbmp_gen.csv", "20250704realtime_zone.csv", "20250407damlbmp_zone.csv"),
        neutral=False,
    ),
    _lbmp(
        "damlbmp_gen",
        HOURS,
        "%m/%d/%Y %H:%M",
        "23512",
        ("20250704damlbmp_zone.csv", "20250704realtime_gen.csv"),
        neutral=False,
    ),
    _real_time("zone", "61761"),
    _real_time("gen", "23512"),
    Sample(
        ("nyiso:damlbmp_zone",),
        "OASIS_Day-Ahead_Market_Zonal_LBMP.csv",
        csv(
            OASIS_DAM,
            [
                [f"{DAY + at:%Y/%m/%d %H:%M:%S}", "EDT", "N.Y.C.", "61761", f"{40 + n}.75", "1.25", "-0.5", 1]
                for n, at in enumerate(HOURS)
            ],
        ),
        stamps=("%Y/%m/%d %H:%M:%S",),
        ids=("61761",),
        numbers=("42.75",),
        exchange=("DAM Zonal Losses", "DAM Zonal Congestion"),
        total=("DAM Zonal LBMP", "DAM Zonal Losses"),
        odd=("Zone PTID", "DAM Zonal LBMP"),
        neighbours=("20250704rtlbmp_zone.csv",),
    ),
    Sample(
        ("nyiso:rtc_zone",),
        "OASIS_Real_Time_Commitment_Zonal_LBMP.csv",
        csv(
            OASIS_RTC,
            [
                [f"{DAY + at:%Y/%m/%d %H:%M:%S}", "N.Y.C.", "61761", f"{40 + n}.75", "1.25", "-0.5", 1]
                for n, at in enumerate(_ENDS)
            ],
        ),
        stamps=("%Y/%m/%d %H:%M:%S",),
        ids=("61761",),
        numbers=("42.75",),
        exchange=("RTC Zonal Losses", "RTC Zonal Congestion"),
        total=("RTC Zonal LBMP", "RTC Zonal Losses"),
        odd=("Zone PTID", "RTC Zonal LBMP"),
        neighbours=("20250704rtlbmp_zone.csv",),
    ),
    _extra(
        "pal",
        ["Time Stamp", "Time Zone", "Name", "PTID", "Load"],
        ["EDT", "WEST", "61752", "170{n}.5"],
        ends=False,
        ids=("61752",),
        number="1702.5",
    ),
    Sample(
        ("nyiso:pal_integrated",),
        "20250704palIntegrated.csv",
        csv(
            ["Time Stamp", "Time Zone", "Name", "PTID", "Integrated Load"],
            [[f"{DAY + at:%m/%d/%Y %H:%M:%S}", "EDT", "WEST", "61752", f"{1700 + n}.5"] for n, at in enumerate(HOURS)],
        ),
        stamps=("%m/%d/%Y %H:%M:%S",),
        ids=("61752",),
        numbers=("1702.5",),
        odd=("PTID", "Integrated Load"),
        neighbours=("20250704pal.csv", "20250705palIntegrated.csv"),
    ),
    Sample(
        ("nyiso:isolf",),
        "20250704isolf.csv",
        csv(ISOLF, [[f"{DAY + at:%m/%d/%Y %H:%M}", 1100 + n, 1500 + n, 1540, f"{14000 + n}"] for n, at in enumerate(HOURS)]),
        stamps=("%m/%d/%Y %H:%M",),
        numbers=("14002",),
        exchange=("Centrl", "West"),
        odd=("Time Stamp", "NYISO"),
        neighbours=("20250704pal.csv", "20250604isolf.csv"),
    ),
    _extra(
        "rtfuelmix",
        ["Time Stamp", "Time Zone", "Fuel Category", "Gen MW"],
        ["EDT", "Wind", "50{n}.5"],
        ends=True,
        ids=("Wind",),
        number="502.5",
    ),
    _extra(
        "external_limits_flows",
        ["Timestamp", "Interface Name", "Point ID", "Flow (MWH)", "Positive Limit (MWH)", "Negative Limit (MWH)"],
        ["INVENTED", "23330", "205{n}.25", "2175", "-1350"],
        ends=False,
        ids=("23330",),
        number="2052.25",
        kind="ExternalLimitsFlows",
    ),
)
