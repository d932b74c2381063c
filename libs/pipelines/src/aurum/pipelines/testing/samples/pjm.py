"""Samples of PJM."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from .sample import CONGESTION_AND_LOSS, DAY, FIVES, HOURS, Sample, csv

PJM_STAMP = "%m/%d/%Y %I:%M:%S %p"
PJM_NEIGHBOURS = ("rt_unverified_hrl_lmps.csv", "gen_by_fuel.csv")


def pjm(moment: datetime) -> str:
    return f"{moment:{PJM_STAMP}}"


def _before_midnight(offsets: Sequence[timedelta]) -> datetime:
    """Return a start in UTC from which rows are of two local days, as a file of a day or more has them."""
    return DAY + timedelta(days=1, hours=4) - offsets[len(offsets) // 3]


def _pjm_lmp(feed: str, run: str, offsets: Sequence[timedelta], twin: str, *, neutral: bool = True) -> Sample:
    header = ["datetime_beginning_utc", "datetime_beginning_ept", "pnode_id", "pnode_name", "type", "zone"]
    header += [f"system_energy_price_{run}", f"total_lmp_{run}", f"congestion_price_{run}", f"marginal_loss_price_{run}"]
    header += ["row_is_current", "version_nbr"]
    start, nodes = _before_midnight(offsets), ("51217", "51218", "51219")
    rows = [
        [
            pjm(start + at),
            pjm(start + at - timedelta(hours=4)),
            node,
            "INVENTED HUB",
            "HUB",
            "",
            f"{30 + n}.125",
            30.125 + n + congestion + loss,
            congestion,
            loss,
            "True",
            1,
        ]
        for n, at in enumerate(offsets)
        for node, (congestion, loss) in zip(nodes, CONGESTION_AND_LOSS, strict=True)
    ]
    return Sample(
        (f"pjm:{feed}",),
        f"{feed}.csv",
        csv(header, rows),
        neutral=neutral,
        stamps=(PJM_STAMP,),
        ids=nodes,
        numbers=("33.375",),
        exchange=(f"congestion_price_{run}", f"marginal_loss_price_{run}"),
        total=(f"total_lmp_{run}", f"congestion_price_{run}"),
        energy=(f"system_energy_price_{run}", f"marginal_loss_price_{run}"),
        shift=tuple(header[6:10]),
        second="datetime_beginning_ept",
        odd=("pnode_id", f"total_lmp_{run}"),
        neighbours=(twin, *PJM_NEIGHBOURS),
    )


def _pjm_area(feed: str, area: str, column: str, offsets: Sequence[timedelta], neighbour: str) -> Sample:
    start = _before_midnight(offsets)
    rows = [[pjm(start + at), pjm(start + at - timedelta(hours=4)), "INVENTED", f"{900 + n}.5"] for n, at in enumerate(offsets)]
    return Sample(
        (f"pjm:{feed}",),
        f"{feed}.csv",
        csv(["datetime_beginning_utc", "datetime_beginning_ept", area, column], rows),
        stamps=(PJM_STAMP,),
        ids=("INVENTED",),
        numbers=("902.5",),
        second="datetime_beginning_ept",
        odd=(area, column),
        neighbours=(neighbour, "load_frcstd_7_day.csv"),
    )


PJM = (
    _pjm_lmp("da_hrl_lmps", "da", HOURS, "rt_hrl_lmps.csv"),
    _pjm_lmp("rt_hrl_lmps", "rt", HOURS, "rt_fivemin_hrl_lmps.csv"),
    _pjm_lmp("rt_fivemin_hrl_lmps", "rt", FIVES, "rt_hrl_lmps.csv"),
    _pjm_area("hrl_load_metered", "load_area", "mw", HOURS, "hrl_load_prelim.csv"),
    _pjm_area("inst_load", "area", "instantaneous_load", FIVES, "hrl_load_metered.csv"),
    _pjm_area("wind_gen", "area", "wind_generation_mw", HOURS, "solar_gen.csv"),
    _pjm_area("solar_gen", "area", "solar_generation_mw", HOURS, "wind_gen.csv"),
    Sample(
        ("pjm:pjme_hourly",),
        "PJME_hourly.csv",
        csv(["Datetime", "PJME_MW"], [[f"{DAY + at:%Y-%m-%d %H:%M:%S}", f"{30000 + n}.0"] for n, at in enumerate(HOURS)]),
        stamps=("%Y-%m-%d %H:%M:%S",),
        numbers=("30002.0",),
        odd=("Datetime", "PJME_MW"),
    ),
)
