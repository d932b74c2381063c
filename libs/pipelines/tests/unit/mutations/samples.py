"""One small file of each dataset under its publisher's name, in the publisher's layout; all places and numbers are invented.

Days are such that day and month can be exchanged (4 July), so that a spreadsheet's mistake gives another valid day.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

Cell = str | float | date | None


@dataclass(frozen=True)
class Sample:
    """A file, and what a mutation may change in it.

    ``datasets``: keys ``source:dataset`` that it holds. ``neutral``: the content is enough under any name. ``stamps``: patterns
    of the times in its rows. ``ids`` and ``numbers``: texts of locations and of values, each unique in the file. ``exchange``:
    two columns of one unit. ``odd``: an id's column and a number's. ``neighbours``: names of similar files of the publisher.
    ``sheets``: those of a workbook, instead of ``text``. ``untouched``: beginning of lines that hold no rows.
    """

    datasets: tuple[str, ...]
    name: str
    text: str = ""
    neutral: bool = True
    stamps: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    exchange: tuple[str, str] | None = None
    odd: tuple[str, str] | None = None
    neighbours: tuple[str, ...] = ()
    header_line: int = 1
    sheets: Mapping[str, Sequence[Sequence[Cell]]] = field(default_factory=dict[str, Sequence[Sequence[Cell]]])
    untouched: str = "\0"

    @property
    def content(self) -> bytes:
        return workbook(self.sheets) if self.sheets else self.text.encode()

    @property
    def label(self) -> str:
        return f"{self.datasets[0]} {self.name.rsplit('.', 1)[-1]}"


def csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return "\n".join(",".join(str(cell) for cell in row) for row in [header, *rows]) + "\n"


DAY = datetime(2025, 7, 4)
HOURS = [timedelta(hours=n) for n in range(6)]
FIVES = [timedelta(minutes=5 * n) for n in range(6)]
QUARTERS = [timedelta(minutes=15 * n) for n in range(6)]
DAYS = [timedelta(days=n) for n in range(5)]


def steps(minutes: int) -> list[timedelta]:
    return [timedelta(minutes=minutes * n) for n in range(6)]


# ---------------------------------------------------------------------------------------------------------------- PJM
PJM_STAMP = "%m/%d/%Y %I:%M:%S %p"
PJM_NEIGHBOURS = ("rt_unverified_hrl_lmps.csv", "gen_by_fuel.csv")


def pjm(moment: datetime) -> str:
    return f"{moment:{PJM_STAMP}}"


def _pjm_lmp(feed: str, run: str, offsets: Sequence[timedelta], twin: str, *, neutral: bool = True) -> Sample:
    header = ["datetime_beginning_utc", "datetime_beginning_ept", "pnode_id", "pnode_name", "type", "zone"]
    header += [f"system_energy_price_{run}", f"total_lmp_{run}", f"congestion_price_{run}", f"marginal_loss_price_{run}"]
    header += ["row_is_current", "version_nbr"]
    start = DAY + timedelta(hours=5)
    rows = [
        [
            pjm(start + at),
            pjm(start + at - timedelta(hours=4)),
            "51217",
            "INVENTED HUB",
            "HUB",
            "",
            f"{30 + n}.125",
            f"{31 + n}.375",
            "1.0",
            "0.25",
            "True",
            1,
        ]
        for n, at in enumerate(offsets)
    ]
    return Sample(
        (f"pjm:{feed}",),
        f"{feed}.csv",
        csv(header, rows),
        neutral=neutral,
        stamps=(PJM_STAMP,),
        ids=("51217",),
        numbers=("33.375",),
        exchange=(f"congestion_price_{run}", f"marginal_loss_price_{run}"),
        odd=("pnode_id", f"total_lmp_{run}"),
        neighbours=(twin, *PJM_NEIGHBOURS),
    )


def _pjm_area(feed: str, area: str, column: str, offsets: Sequence[timedelta], neighbour: str) -> Sample:
    start = DAY + timedelta(hours=5)
    rows = [[pjm(start + at), pjm(start + at - timedelta(hours=4)), "INVENTED", f"{900 + n}.5"] for n, at in enumerate(offsets)]
    return Sample(
        (f"pjm:{feed}",),
        f"{feed}.csv",
        csv(["datetime_beginning_utc", "datetime_beginning_ept", area, column], rows),
        stamps=(PJM_STAMP,),
        ids=("INVENTED",),
        numbers=("902.5",),
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

# ------------------------------------------------------------------------------------------------------------- ISO-NE
ISONE_HEADER = ["H", "Date", "Hour Ending", "Location ID", "Location Name", "Location Type", "Locational Marginal Price"]
ISONE_HEADER += ["Energy Component", "Congestion Component", "Marginal Loss Component"]


def _isone_report(dataset: str, name: str, title: str, neighbours: tuple[str, ...]) -> Sample:
    top = [f'"C","{title}"', f'"C","Filename: {name}"', '"C","Report for: 07/04/2025 - 07/04/2025"']
    header = ",".join(f'"{word}"' for word in ISONE_HEADER)
    rows = [f'"D","07/04/2025","{n:02}","4001","INVENTED PLACE","ZONE",{40 + n}.5,{39 + n}.25,1.0,0.25' for n in range(1, 7)]
    types = '"H","Date","String","Number","String","String","$/MWh","$/MWh","$/MWh","$/MWh"'
    return Sample(
        (f"isone:{dataset}",),
        name,
        "\n".join([*top, header, types, *rows, f'"T","{len(rows)} lines"']) + "\n",
        stamps=("%m/%d/%Y",),
        ids=("4001",),
        numbers=("43.5",),
        exchange=("Congestion Component", "Marginal Loss Component"),
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


SMD = ["Date", "Hr_End", "DA_Demand", "RT_Demand", "DA_LMP", "DA_EC", "DA_CC", "DA_MLC", "RT_LMP", "RT_EC", "RT_CC", "RT_MLC"]
SMD += ["Dry_Bulb", "Dew_Point"]
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

# -------------------------------------------------------------------------------------------------------------- NYISO
LBMP = ["Time Stamp", "Name", "PTID", "LBMP ($/MWHr)", "Marginal Cost Losses ($/MWHr)", "Marginal Cost Congestion ($/MWHr)"]


def _lbmp(
    dataset: str, offsets: Sequence[timedelta], stamp: str, ptid: str, neighbours: tuple[str, ...], **more: bool
) -> Sample:
    rows = [[f"{DAY + at:{stamp}}", "INVENTED", ptid, f"{40 + n}.75", "1.25", "-0.5"] for n, at in enumerate(offsets)]
    return Sample(
        (f"nyiso:{dataset}",),
        f"20250704{dataset}.csv",
        csv(LBMP, rows),
        stamps=(stamp,),
        ids=(ptid,),
        numbers=("42.75",),
        exchange=("Marginal Cost Losses ($/MWHr)", "Marginal Cost Congestion ($/MWHr)"),
        odd=("PTID", "LBMP ($/MWHr)"),
        neighbours=neighbours,
        **more,
    )


def _extra(
    dataset: str, header: Sequence[str], row: Sequence[str], *, ends: bool, ptid: str, number: str, kind: str = ""
) -> Sample:
    """A real-time file whose third stamp is an extra run between the five-minute ones."""
    offsets = [*(at + timedelta(minutes=5 * ends) for at in FIVES), timedelta(minutes=17, seconds=34)]
    stamps = [f"{DAY + at:%m/%d/%Y %H:%M:%S}" for at in offsets]
    rows = [[stamp, *(cell.format(n=n) for cell in row)] for n, stamp in enumerate(stamps)]
    return Sample(
        (f"nyiso:{dataset}", f"nyiso:{dataset}_extra"),
        f"20250704{kind or dataset}.csv",
        csv(header, rows),
        stamps=("%m/%d/%Y %H:%M:%S",),
        ids=(ptid,),
        numbers=(number,),
        neighbours=(f"20250705{kind or dataset}.csv", "20250704damlbmp_zone.csv"),
        odd=(next(name for name in header if name in ("PTID", "Point ID", "Fuel Category")), header[-1]),
        exchange=(header[-2], header[-1]) if dataset.startswith(("realtime", "external")) else None,
    )


_ENDS = [at + timedelta(minutes=15) for at in QUARTERS]
OASIS_DAM = ["Eastern Date Hour", "Eastern Date Hour Time Zone", "Zone Name", "Zone PTID", "DAM Zonal LBMP", "DAM Zonal Losses"]
OASIS_DAM += ["DAM Zonal Congestion", "DAM Zonal Price Version"]
OASIS_RTC = ["RTC End Time Stamp", "Zone Name", "Zone PTID", "RTC Zonal LBMP", "RTC Zonal Losses", "RTC Zonal Congestion"]
OASIS_RTC += ["RTC Zonal Price Version"]
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
    _extra("realtime_zone", LBMP, ["INVENTED", "61761", "4{n}.75", "1.25", "-0.5"], ends=True, ptid="61761", number="42.75"),
    _extra("realtime_gen", LBMP, ["INVENTED", "23512", "4{n}.75", "1.25", "-0.5"], ends=True, ptid="23512", number="42.75"),
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
        odd=("Zone PTID", "RTC Zonal LBMP"),
        neighbours=("20250704rtlbmp_zone.csv",),
    ),
    _extra(
        "pal",
        ["Time Stamp", "Time Zone", "Name", "PTID", "Load"],
        ["EDT", "WEST", "61752", "170{n}.5"],
        ends=False,
        ptid="61752",
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
        ptid="Wind",
        number="502.5",
    ),
    _extra(
        "external_limits_flows",
        ["Timestamp", "Interface Name", "Point ID", "Flow (MWH)", "Positive Limit (MWH)", "Negative Limit (MWH)"],
        ["INVENTED", "23330", "205{n}.25", "2175", "-1350"],
        ends=False,
        ptid="23330",
        number="2052.25",
        kind="ExternalLimitsFlows",
    ),
)

# -------------------------------------------------------------------------------------------------------------- CAISO
GMT = "%Y-%m-%dT%H:%M:%S"
_CAISO_RUNS = {
    "PRC_LMP": {"DAM": 60},
    "ENE_SLRS": {"DAM": 60, "RUC": 60, "HASP": 60, "RTM": 5},
    "SLD_FCST": {"7DA": 60, "2DA": 60, "DAM": 60, "RTPD": 15, "RTD": 5, "ACTUAL": 60},
    "SLD_REN_FCST": {"DAM": 60, "HASP": 60, "RTPD": 15, "RTD": 5, "ACTUAL": 60},
}
_DEMAND_ITEMS = {"7DA": "7DA", "2DA": "2DA", "DAM": "DA", "RTPD": "15MIN", "RTD": "5MIN", "ACTUAL": "ACT"}


def _caiso(query: str, run: str, minutes: int) -> Sample:
    place = {"PRC_LMP": "NODE_ID", "ENE_SLRS": "TAC_ZONE_NAME", "SLD_FCST": "TAC_AREA_NAME", "SLD_REN_FCST": "TRADING_HUB"}[
        query
    ]
    item = {
        "PRC_LMP": "LMP_PRC",
        "ENE_SLRS": "ISO_TOT_LOAD_MW",
        "SLD_FCST": f"SYS_FCST_{_DEMAND_ITEMS.get(run)}_MW",
        "SLD_REN_FCST": "RENEW_FCST_DA_MW",
    }[query]
    header = ["INTERVALSTARTTIME_GMT", "INTERVALENDTIME_GMT", "OPR_DT", "OPR_HR", "MARKET_RUN_ID", place]
    header += ["LMP_TYPE"] if query == "PRC_LMP" else ["RENEWABLE_TYPE"] if query == "SLD_REN_FCST" else []
    header += ["XML_DATA_ITEM", "POS", "MW", "GROUP"]
    start = DAY + timedelta(hours=7)
    rows: list[list[object]] = []
    for n, at in enumerate(steps(minutes)):
        begin, end = start + at, start + at + timedelta(minutes=minutes)
        local = begin - timedelta(hours=7)
        row: list[object] = [
            f"{begin:{GMT}}-00:00",
            f"{end:{GMT}}-00:00",
            f"{local:%Y-%m-%d}",
            local.hour + 1,
            run,
            "INV_PLACE",
        ]
        row += ["LMP"] if query == "PRC_LMP" else ["Solar"] if query == "SLD_REN_FCST" else []
        rows.append([*row, item, 1, f"{70 + n}.25", 1])
    return Sample(
        (f"caiso:{query.lower()}_{run.lower()}",),
        f"20250704_20250705_{query}_{run}_20250706_10_00_00_v1.csv",
        csv(header, rows),
        stamps=(GMT, "%Y-%m-%d"),
        ids=("INV_PLACE",),
        numbers=("72.25",),
        odd=(place, "MW"),
        neighbours=(
            "20250704_20250705_PRC_SPTIE_LMP_DAM_20250706_10_00_00_v5.csv",
            "20250704_20250705_PRC_RTPD_LMP_RTPD_20250706_10_00_00_v1.csv",
            f"20250804_20250805_{query}_{run}_20250706_10_00_00_v1.csv",
        ),
    )


def _caiso_xml() -> Sample:
    data = "\n".join(
        f"<REPORT_DATA><DATA_ITEM>LMP_PRC</DATA_ITEM><RESOURCE_NAME>INV_PLACE</RESOURCE_NAME>"
        f"<INTERVAL_START_GMT>{DAY + timedelta(hours=7) + at:{GMT}}-00:00</INTERVAL_START_GMT>"
        f"<INTERVAL_END_GMT>{DAY + timedelta(hours=8) + at:{GMT}}-00:00</INTERVAL_END_GMT>"
        f"<VALUE>{70 + n}.25</VALUE></REPORT_DATA>"
        for n, at in enumerate(HOURS)
    )
    return Sample(
        ("caiso:prc_lmp_dam",),
        "20250704_20250705_PRC_LMP_DAM_20250706_10_00_00_v1.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<OASISReport xmlns="http://www.caiso.com/soa/OASISReport_v1.xsd"><MessageHeader>'
        "<TimeDate>2025-07-06T17:00:00-00:00</TimeDate></MessageHeader><MessagePayload><RTO><REPORT_ITEM><REPORT_HEADER>"
        f"<REPORT>PRC_LMP</REPORT><MKT_TYPE>DAM</MKT_TYPE><UOM>US$</UOM></REPORT_HEADER>\n{data}\n"
        "</REPORT_ITEM></RTO></MessagePayload></OASISReport>\n",
        stamps=(GMT,),
        ids=("INV_PLACE",),
        numbers=("72.25",),
        neighbours=(
            "20250704_20250705_PRC_SPTIE_LMP_DAM_20250706_10_00_00_v5.xml",
            "20250804_20250805_PRC_LMP_DAM_20250706_10_00_00_v1.xml",
        ),
    )


def _renewables_watch() -> Sample:
    first = "\n".join(f"\t{n}\t\t{900 + n}\t\t2{n:02}\t" for n in range(1, 25))
    second = "\n".join(f"\t{n}\t\t{5900 + n}\t\t18{n:02}\t" for n in range(1, 25))
    return Sample(
        ("caiso:daily_renewables_watch",),
        "20250704_DailyRenewablesWatch.txt",
        f"07/04/25\t\t\tHourly Breakdown of Renewable Resources (MW)\t\n\tHour\t\tGEOTHERMAL\tBIOMASS\t\n{first}\n\n"
        f"\t\tHourly Breakdown of Total Production by Resource Type (MW)\n\tHour\t\tRENEWABLES\tNUCLEAR\t\n{second}\n",
        stamps=("%m/%d/%y",),
        numbers=("1803",),
        neighbours=("20250705_DailyRenewablesWatch.txt",),
    )


CAISO = (
    *(_caiso(query, run, minutes) for query, runs in _CAISO_RUNS.items() for run, minutes in runs.items()),
    _caiso_xml(),
    _renewables_watch(),
)

# -------------------------------------------------------------------------------------------------------------- ERCOT
DAM_ROWS = [["07/04/2025", f"{n:02}:00", "HB_INVENTED", f"{30 + n}.25", "N"] for n in range(1, 7)]
RTM_ROWS = [["07/04/2025", 2, n, "HB_INVENTED", "HU", f"{30 + n}.25", "N"] for n in range(1, 5)]
DAM_HEADER = ["DeliveryDate", "HourEnding", "SettlementPoint", "SettlementPointPrice", "DSTFlag"]
RTM_HEADER = ["DeliveryDate", "DeliveryHour", "DeliveryInterval", "SettlementPointName", "SettlementPointType"]
RTM_HEADER += ["SettlementPointPrice", "DSTFlag"]


def _ercot_json(dataset: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Sample:
    return Sample(
        (f"ercot:{dataset}",),
        f"ercot-{dataset}.json",
        json.dumps({"fields": [{"name": name[0].lower() + name[1:]} for name in header], "data": rows}),
        stamps=("%m/%d/%Y", "%Y-%m-%d"),
        ids=("HB_INVENTED",),
        numbers=("32.25",),
    )


ERCOT = (
    Sample(
        ("ercot:dam_spp",),
        "cdr.00012331.0000000000000000.20250703.123005.DAMSPNP4190.csv",
        csv(DAM_HEADER, DAM_ROWS),
        stamps=("%m/%d/%Y",),
        ids=("HB_INVENTED",),
        numbers=("32.25",),
        odd=("SettlementPoint", "SettlementPointPrice"),
        neighbours=(
            "cdr.00012328.0000000000000000.20250703.123005.DAMHRLMPNP4183.csv",
            "cdr.00012301.0000000000000000.20250704.012005.SPPHLZNP6905_20250704_0115.csv",
            "cdr.00012331.0000000000000000.20250803.123005.DAMSPNP4190.csv",
        ),
    ),
    Sample(
        ("ercot:rtm_spp",),
        "cdr.00012301.0000000000000000.20250704.020105.SPPHLZNP6905_20250704_0200.csv",
        csv(RTM_HEADER, RTM_ROWS),
        stamps=("%m/%d/%Y",),
        ids=("HB_INVENTED",),
        numbers=("32.25",),
        odd=("SettlementPointName", "SettlementPointPrice"),
        neighbours=(
            "cdr.00012331.0000000000000000.20250703.123005.DAMSPNP4190.csv",
            "cdr.00012301.0000000000000000.20250804.020105.SPPHLZNP6905_20250804_0200.csv",
        ),
    ),
    _ercot_json("dam_spp", DAM_HEADER, [["2025-07-04", *row[1:3], float(str(row[3])), False] for row in DAM_ROWS]),
    _ercot_json("rtm_spp", RTM_HEADER, [["2025-07-04", *row[1:5], float(str(row[5])), False] for row in RTM_ROWS]),
    Sample(
        ("ercot:dam_spp",),
        "rpt.00013060.0000000000000000.DAMLZHBSPP_2025.xlsx",
        sheets={
            "Jul": [
                ["Delivery Date", "Hour Ending", "Repeated Hour Flag", "Settlement Point", "Settlement Point Price"],
                *([row[0], row[1], "N", row[2], row[3]] for row in DAM_ROWS),
            ]
        },
        neighbours=("rpt.00013061.0000000000000000.RTMLZHBSPP_2025.xlsx", "rpt.00013060.0000000000000000.DAMLZHBSPP_2024.xlsx"),
    ),
    Sample(
        ("ercot:rtm_spp",),
        "rpt.00013061.0000000000000000.RTMLZHBSPP_2025.xlsx",
        sheets={
            "Jul": [
                [
                    "Delivery Date",
                    "Delivery Hour",
                    "Delivery Interval",
                    "Repeated Hour Flag",
                    "Settlement Point Name",
                    "Settlement Point Type",
                    "Settlement Point Price",
                ],
                *([row[0], row[1], row[2], "N", *row[3:6]] for row in RTM_ROWS),
            ]
        },
        neighbours=("rpt.00013060.0000000000000000.DAMLZHBSPP_2025.xlsx",),
    ),
)

# --------------------------------------------------------------------------------------------- MISO, SPP, AESO, IESO
_HE = [f"HE {hour}" for hour in range(1, 25)]
_MISO_ROWS = [
    ["INVENTED.HUB", "Hub", part, *(f"{at + hour}.25" for hour in range(1, 25))]
    for part, at in (("LMP", 50), ("MCC", 2), ("MLC", 1))
]
SPP_HEADER = ["Interval", "GMTIntervalEnd", "Settlement Location", "Pnode", "LMP", "MLC", "MCC", "MEC"]
SPP_STAMP = "%m/%d/%Y %H:%M:%S"


def _spp(dataset: str, name: str, ends: Sequence[timedelta], neighbours: tuple[str, ...], *, neutral: bool) -> Sample:
    rows = [
        [
            f"{DAY + at:{SPP_STAMP}}",
            f"{DAY + at + timedelta(hours=5):{SPP_STAMP}}",
            "INVENTED_HUB",
            "P0",
            f"{35 + n}.5",
            "-0.25",
            "0.75",
            f"{35 + n}.0",
        ]
        for n, at in enumerate(ends)
    ]
    return Sample(
        (f"spp:{dataset}",),
        name,
        csv(SPP_HEADER, rows),
        neutral=neutral,
        stamps=(SPP_STAMP,),
        ids=("INVENTED_HUB",),
        numbers=("37.5",),
        exchange=("MLC", "MCC"),
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

# ------------------------------------------------------------------------------------------------------------ ENTSO-E
AREA = "10YLU-CEGEDEL-NQ"


def _gl(dataset: str, code: str, process: str, number: str, *, fuel: str = "") -> Sample:
    points = "\n".join(f"<Point><position>{n}</position><quantity>{900 + n}.5</quantity></Point>" for n in range(1, 9))
    kind = f"<MktPSRType><psrType>{fuel}</psrType></MktPSRType>" if fuel else ""
    return Sample(
        (f"entsoe:{dataset}",),
        f"{dataset}.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<GL_MarketDocument xmlns="urn:iec62325:generationload">'
        f"<type>{code}</type><process.processType>{process}</process.processType><createdDateTime>2025-07-05T10:25:00Z</createdDateTime>\n"
        f"<TimeSeries><mRID>1</mRID><inBiddingZone_Domain.mRID>{AREA}</inBiddingZone_Domain.mRID>"
        f"<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>A01</curveType>{kind}<Period><timeInterval>"
        "<start>2025-07-04T10:00Z</start><end>2025-07-04T12:00Z</end></timeInterval><resolution>PT15M</resolution>\n"
        f"{points}\n</Period></TimeSeries>\n</GL_MarketDocument>\n",
        stamps=("%Y-%m-%dT%H:%M",),
        ids=(AREA,),
        numbers=(number,),
    )


def _prices(dataset: str, contract: str) -> Sample:
    points = "\n".join(f"<Point><position>{n}</position><price.amount>{40 + n}.5</price.amount></Point>" for n in range(1, 3))
    return Sample(
        (f"entsoe:{dataset}",),
        f"{dataset}.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<Publication_MarketDocument xmlns="urn:iec62325:publication">'
        "<type>A44</type><createdDateTime>2025-07-03T11:05:00Z</createdDateTime>\n<TimeSeries><mRID>1</mRID>"
        f"<in_Domain.mRID>{AREA}</in_Domain.mRID><out_Domain.mRID>{AREA}</out_Domain.mRID>"
        f"<contract_MarketAgreement.type>{contract}</contract_MarketAgreement.type><currency_Unit.name>EUR</currency_Unit.name>"
        "<price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A01</curveType><Period><timeInterval>"
        "<start>2025-07-04T10:00Z</start><end>2025-07-04T12:00Z</end></timeInterval><resolution>PT60M</resolution>\n"
        f"{points}\n</Period></TimeSeries>\n</Publication_MarketDocument>\n",
        stamps=("%Y-%m-%dT%H:%M",),
        ids=(),
        numbers=("42.5",),
    )


ENTSOE = (
    _prices("day_ahead_prices", "A01"),
    _prices("intraday_auction_prices", "A07"),
    _gl("load", "A65", "A16", "903.5"),
    _gl("load_forecast", "A65", "A01", "903.5"),
    _gl("generation", "A75", "A16", "903.5", fuel="B16"),
    _gl("wind_solar_forecast", "A69", "A01", "903.5", fuel="B16"),
    _gl("wind_solar_forecast_intraday", "A69", "A40", "903.5", fuel="B16"),
    _gl("wind_solar_forecast_current", "A69", "A18", "903.5", fuel="B16"),
)

# ---------------------------------------------------------------------------------------------------------------- EIA
FRIDAYS = [date(2025, 7, 4) + timedelta(weeks=n) for n in range(4)]
PRICE_TITLE = "Henry Hub Natural Gas Spot Price (Dollars per Million Btu)"


def _answer(
    dataset: str, frequency: str, records: Sequence[Mapping[str, object]], stamps: tuple[str, ...], **more: tuple[str, ...]
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
_HUBS = ["Price hub", "Trade date", "Delivery start date", "Delivery end date", "High price $/MWh", "Low price $/MWh"]
_HUBS += ["Wtd avg price $/MWh", "Change", "Daily volume MWh", "Number of trades", "Number of counterparties"]
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

# ------------------------------------------------------------------------------ FRED, ECB, datahub, drought, NOAA
ISO = ("%Y-%m-%d",)
JULY = [f"2025-07-{day:02}" for day in range(4, 10)]
MONTHS = [f"2025-{month:02}-01" for month in range(2, 8)]
TUESDAYS = [f"{date(2025, 7, 8) + timedelta(weeks=n):%Y%m%d}" for n in range(4)]


def _series(
    name: str, dataset: str, header: Sequence[str], dates: Sequence[str], *, neutral: bool = True, **more: object
) -> Sample:
    rows = [[day, f"{10 + n}.25"] for n, day in enumerate(dates)]
    return Sample(
        (dataset,), name, csv(header, rows), neutral=neutral, stamps=ISO, numbers=("12.25",), odd=(header[0], header[1]), **more
    )  # pyright: ignore[reportArgumentType] - names of fields


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
            ["Date", "USD", "JPY", "DKK", "GBP"],
            [[day, f"1.17{n}", f"170.{n}5", "7.4610", f"0.86{n}"] for n, day in enumerate(reversed(JULY))],
        ),
        stamps=ISO,
        numbers=("1.172",),
        exchange=("USD", "GBP"),
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

SAMPLES = (*PJM, *ISONE, *NYISO, *CAISO, *ERCOT, *OTHERS, *ENTSOE, *EIA, *AGENCIES)


# ----------------------------------------------------------------------------------------------------------- workbooks
_NS = "http://schemas.openxmlformats.org"
_STYLES = (
    '<numFmts/><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
)


def _cell(value: Cell) -> str:
    match value:
        case None:
            return "<c/>"
        case date():
            return f'<c s="1"><v>{(date(value.year, value.month, value.day) - date(1899, 12, 30)).days}</v></c>'
        case str():
            return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
        case _:
            return f"<c><v>{value}</v></c>"


def workbook(sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> bytes:
    """Return an .xlsx of sheets of rows: texts, numbers, days as date cells, None for an empty cell."""
    office, package = f"{_NS}/officeDocument/2006/relationships", f"{_NS}/package/2006"
    main, kind = f"{_NS}/spreadsheetml/2006/main", "application/vnd.openxmlformats-officedocument.spreadsheetml"
    names = list(enumerate(sheets, start=1))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        + "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>' for n, _ in names)
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in names)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="s" Type="{office}/styles" Target="styles.xml"/>'
        + "".join(f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n, _ in names)
        + "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{main}">{_STYLES}</styleSheet>',
    }
    for number, rows in enumerate(sheets.values(), start=1):
        body = "".join("<row>" + "".join(map(_cell, row)) + "</row>" for row in rows)
        parts[f"xl/worksheets/sheet{number}.xml"] = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return buffer.getvalue()
