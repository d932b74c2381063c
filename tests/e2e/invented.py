"""Publishers' files with generated numbers."""

from __future__ import annotations

import random
from pathlib import Path


def invented_day(path: Path, day: int, *, rows: int = 24, nodes: int = 400, seed: int = 1) -> Path:
    """Write an ISO-NE day-ahead report with generated numbers in its layout, with its trailer."""
    prices = random.Random(seed + day)
    lines = [
        '"C","Day-Ahead Energy Market Hourly LMP Report"',
        f'"C","Filename: {path.name}"',
        f'"C","Report for: 06/{day:02d}/2026 - 06/{day:02d}/2026"',
        f'"C","Report generated: 06/{day - 1:02d}/2026 12:57:12 EDT"',
        '"H","Date","Hour Ending","Location ID","Location Name","Location Type","Locational Marginal Price","Energy Component",'
        '"Congestion Component","Marginal Loss Component"',
        '"H","Date","HE","String","String","String","Number","Number","Number","Number"',
    ]
    for hour in range(1, rows + 1):
        for node in range(nodes):
            energy = round(prices.uniform(20, 90), 2)
            place = f'"{9000 + node}","UN.INVENTED{node}","NETWORK NODE"'
            lines.append(f'"D","06/{day:02d}/2026","{hour:02d}",{place},{energy},{energy},0.0,0.0')
    lines.append(f'"T","{rows * nodes} lines"')
    path.write_text("\n".join(lines) + "\n")
    return path
