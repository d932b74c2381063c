"""Files and the chart of the guide ``forecasts.md``.

    python docs/guides/forecasts.py files FOLDER            issues around the two real ones, and the load they are about
    python docs/guides/forecasts.py chart URL [FILE.svg]    the chart, from the answers of a running service

The files have the layouts of NYISO and CAISO. Their numbers are invented: those of the real issue, plus a drift that grows with
the lead.
"""

from __future__ import annotations

import csv
import json
import math
import sys
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "libs/pipelines/src/aurum/pipelines/sample"
STAMP = "%m/%d/%Y %H:%M"
NYISO_DAYS = ("20171120", "20171121", "20171123")
CAISO_RUNS = ("1800", "1815", "1830")
SERIES = {"load": "nyiso:pal:61761:load", "forecast": "nyiso:isolf:61761:load_forecast"}
LEADS = {"days_ahead=3&before=10:00": "#9aa5b1", "days_ahead=2&before=10:00": "#4c8eda", "days_ahead=1&before=10:00": "#1b4f9c"}
WIDTH, HEIGHT, LEFT, TOP = 760, 340, 60, 40


def write_files(folder: Path) -> None:
    """Write issues of NYISO's and of CAISO's load forecast, and a day of NYISO's load."""
    with (SAMPLE / "nyiso/20171122isolf.csv").open(newline="", encoding="ascii") as real:
        header, *rows = csv.reader(real)
    hours = {_label(row[0], STAMP): [float(cell) for cell in row[1:]] for row in rows}
    first = min(hours)
    for name in NYISO_DAYS:
        issued = _label(name, "%Y%m%d")
        lines = [header]
        for number in range(6 * 24):
            hour = issued + timedelta(hours=number)
            known = hours.get(hour) or hours[first + timedelta(hours=hour.hour)]
            drift = 1 + (0.008 + 0.006 * math.sin(hour.hour / 24 * math.tau)) * (first - issued).days
            lines.append([hour.strftime(STAMP), *(f"{cell * drift:.0f}" for cell in known)])
        _write(folder / f"{name}isolf.csv", lines)
    load = [["Time Stamp", "Time Zone", "Name", "PTID", "Load"]]
    for number in range(288):
        at = _label("20171123", "%Y%m%d") + timedelta(minutes=5 * number)
        value = hours[at.replace(minute=0)][8] * (0.985 + 0.02 * math.cos(number / 40))
        load.append([at.strftime("%m/%d/%Y %H:%M:%S"), "EST", "N.Y.C.", "61761", f"{value:.1f}"])
    _write(folder / "20171123pal.csv", load)
    for run in CAISO_RUNS:
        (folder / f"20140508_{run}_SLD_FCST_RTM.xml").write_text(_caiso_answer(run), encoding="utf-8")


def _label(text: str, form: str) -> datetime:
    """Return a stamp of a file; no clock changes on these days, so that it can be counted with as if it were UTC."""
    return datetime.strptime(text, form).replace(tzinfo=UTC)


def _write(path: Path, lines: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="ascii") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def _caiso_answer(run: str) -> str:
    """Return a run of the 15-minute forecast: the six intervals that begin half an hour after it and later."""
    text = (SAMPLE / "caiso/sld_forecast.xml").read_text(encoding="utf-8")
    start, end = text.index("<REPORT_DATA>"), text.rindex("</REPORT_DATA>") + len("</REPORT_DATA>")
    issued = _label(f"20140508 {run}", "%Y%m%d %H%M")
    form = "%Y-%m-%dT%H:%M:%S-00:00"
    items: list[str] = []
    for number in range(2, 8):
        begin = issued + number * timedelta(minutes=15)
        items.append(
            "<REPORT_DATA>\n<DATA_ITEM>SYS_FCST_15MIN_MW</DATA_ITEM>\n<RESOURCE_NAME>CA ISO-TAC</RESOURCE_NAME>\n"
            f"<OPR_DATE>2014-05-08</OPR_DATE>\n<INTERVAL_NUM>{(begin.hour - 7) * 4 + begin.minute // 15 + 1}</INTERVAL_NUM>\n"
            f"<INTERVAL_START_GMT>{begin:{form}}</INTERVAL_START_GMT>\n"
            f"<INTERVAL_END_GMT>{begin + timedelta(minutes=15):{form}}</INTERVAL_END_GMT>\n"
            f"<VALUE>{26600 + 40 * begin.hour - 12 * number}</VALUE>\n</REPORT_DATA>"
        )
    return text[:start] + "\n".join(items) + text[end:]


def read(url: str, key: str, query: str) -> list[tuple[datetime, float]]:
    """Return hourly values of 2017-11-23 in New York, from the API."""
    path = f"{url}/v2/series/{urllib.parse.quote(key)}/observations?start=2017-11-23&end=2017-11-24&tz=market&freq=1h&{query}"
    with urllib.request.urlopen(path) as answer:  # noqa: S310 - the address of a service that the caller runs
        rows = json.load(answer)["data"]
    return [(datetime.fromisoformat(row["start"]), row["value"]) for row in rows]


def chart(url: str) -> str:
    """Return the chart as SVG: the load of a day, and what was forecast three, two and one day ahead."""
    lines = [
        (f"forecast, {query.split('&')[0]}", colour, read(url, SERIES["forecast"], query)) for query, colour in LEADS.items()
    ]
    lines.append(("load", "#d1495b", read(url, SERIES["load"], "agg=mean")))
    values = [value for _, _, points in lines for _, value in points]
    low, high = math.floor(min(values) / 500) * 500, math.ceil(max(values) / 500) * 500
    right, bottom = WIDTH - 20, HEIGHT - 50

    def x(hour: float) -> float:
        return LEFT + (right - LEFT) * hour / 23

    def y(value: float) -> float:
        return bottom - (bottom - TOP) * (value - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-size="14">Load of New York City on 2017-11-23, MW</text>',
    ]
    for value in range(low, high + 1, 500):
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{right}" stroke="#e3e6ea"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,}</text>')
    parts += [
        f'<text x="{x(hour):.1f}" y="{bottom + 18}" text-anchor="middle">{hour:02d}:00</text>' for hour in range(0, 24, 3)
    ]
    for place, (name, colour, points) in enumerate(lines):
        path = " ".join(f"{x(start.hour):.1f},{y(value):.1f}" for start, value in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
        left = LEFT + 175 * place
        parts.append(f'<path d="M{left} {HEIGHT - 14}h18" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{left + 23}" y="{HEIGHT - 10}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main(arguments: list[str]) -> None:
    """Write the files, or print or write the chart."""
    match arguments:
        case ["files", folder]:
            write_files(Path(folder))
        case ["chart", url]:
            sys.stdout.write(chart(url))
        case ["chart", url, file]:
            Path(file).write_text(chart(url), encoding="utf-8")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
