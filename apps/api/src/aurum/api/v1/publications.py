"""The datasets that hold prices of each operator and market, under the names of version 1."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Publication:
    """A dataset of prices. ``measure``: the one that holds the whole price."""

    source: str
    dataset: str
    iso_code: str
    market: str | None
    measure: str = "lmp"


DAY_AHEAD, REAL_TIME = "DAY_AHEAD", "REAL_TIME"
PUBLICATIONS = (
    Publication("caiso", "prc_lmp_dam", "CAISO", DAY_AHEAD),
    Publication("ercot", "dam_spp", "ERCOT", DAY_AHEAD, "spp"),
    Publication("ercot", "rtm_spp", "ERCOT", REAL_TIME, "spp"),
    Publication("isone", "da_lmp", "ISONE", DAY_AHEAD),
    Publication("isone", "hourlylmp", "ISONE", None),
    Publication("isone", "rt_lmp_final", "ISONE", REAL_TIME),
    Publication("isone", "rt_lmp_prelim", "ISONE", REAL_TIME),
    Publication("miso", "da_expost_lmp", "MISO", DAY_AHEAD),
    Publication("nyiso", "damlbmp_gen", "NYISO", DAY_AHEAD),
    Publication("nyiso", "damlbmp_zone", "NYISO", DAY_AHEAD),
    Publication("nyiso", "realtime_gen", "NYISO", REAL_TIME),
    Publication("nyiso", "realtime_zone", "NYISO", REAL_TIME),
    Publication("nyiso", "rtc_zone", "NYISO", "REAL_TIME_COMMITMENT"),
    Publication("pjm", "da_hrl_lmps", "PJM", DAY_AHEAD),
    Publication("pjm", "rt_hrl_lmps", "PJM", REAL_TIME),
    Publication("spp", "da_lmp_sl", "SPP", DAY_AHEAD),
    Publication("spp", "rtbm_lmp_sl", "SPP", REAL_TIME),
)
