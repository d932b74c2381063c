"""Generated files in the layouts of publishers, for machines without the real ones."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aurum.pipelines.source import SourceFile

FEW = 24
"""Number of rows of a file whose load takes little more than the fixed cost of any file."""

_PJM_HEADER = (
    "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,voltage,equipment,type,zone,system_energy_price_da,"
    "total_lmp_da,congestion_price_da,marginal_loss_price_da,row_is_current,version_nbr"
)
_ISONE_HEAD: Sequence[str] = (
    '"C","Day-Ahead Energy Market Hourly LMP Report"',
    '"C","Filename: WW_DALMP_ISO_20260604.csv"',
    '"C","Report for: 06/04/2026 - 06/04/2026"',
    '"C","Report generated: 06/03/2026 12:57:12 EDT"',
    '"H","Date","Hour Ending","Location ID","Location Name","Location Type","Locational Marginal Price",'
    '"Energy Component","Congestion Component","Marginal Loss Component"',
    '"H","Date","HE","String","String","String","Number","Number","Number","Number"',
)


def isone_day(nodes: int) -> SourceFile:
    """Return a day-ahead report: 24 hours of ``nodes`` locations."""
    draw = random.Random(1)
    lines: list[str] = [*_ISONE_HEAD]
    for hour in range(1, 25):
        for node in range(nodes):
            energy, loss = round(draw.uniform(20, 90), 2), round(draw.uniform(-2, 2), 2)
            place = f'"{9000 + node}","UN.INVENTED{node}","NETWORK NODE"'
            lines.append(f'"D","06/04/2026","{hour:02d}",{place},{energy + loss:.2f},{energy:.2f},0.00,{loss:.2f}')
    lines.append(f'"T","{24 * nodes} lines"')
    return SourceFile("WW_DALMP_ISO_20260604.csv", "\n".join(lines).encode())


def few_rows(pjm: SourceFile) -> SourceFile | None:
    """Return the first ``FEW`` rows of a file of PJM prices; None for another file."""
    if not pjm.name.startswith("da_hrl_lmps"):
        return None
    return SourceFile(pjm.name, b"\n".join(pjm.content.split(b"\n")[: FEW + 1]) + b"\n")


def day_after(isone: SourceFile) -> SourceFile | None:
    """Return the same day-ahead report with the dates of the next day; None for another file."""
    match = re.search(r"WW_DALMP_ISO_(\d{8})", isone.name)
    if match is None:
        return None
    day = datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC)
    content = isone.content
    for dated in (day, day - timedelta(days=1)):  # the market of a day closes on the day before
        for pattern in ("%m/%d/%Y", "%Y%m%d"):
            before, after = (each.strftime(pattern).encode() for each in (dated, dated + timedelta(days=1)))
            content = content.replace(before, after)
    return SourceFile(isone.name.replace(match[1], f"{day + timedelta(days=1):%Y%m%d}"), content)


def pjm_year() -> SourceFile:
    """Return a file of day-ahead prices of one node for the 8,760 hours of 2025."""
    draw = random.Random(2)
    eastern = ZoneInfo("America/New_York")
    lines = [_PJM_HEADER]
    for hour in range(8_760):
        utc = datetime(2025, 1, 1, 5, tzinfo=UTC) + timedelta(hours=hour)
        energy, loss = round(draw.uniform(15, 80), 2), round(draw.uniform(-1, 1), 6)
        labels = f"{_label(utc)},{_label(utc.astimezone(eastern))}"
        lines.append(f"{labels},1,INVENTED-RTO,,,ZONE,,{energy:.2f},{energy + loss:.6f},0.000000,{loss:.6f},True,1")
    return SourceFile("da_hrl_lmps_invented_2025.csv", "\n".join(lines).encode())


def _label(time: datetime) -> str:
    return f"{time.month}/{time.day}/{time.year} {(time.hour - 1) % 12 + 1}:{time:%M:%S %p}"
