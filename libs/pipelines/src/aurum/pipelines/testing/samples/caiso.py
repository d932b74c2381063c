"""Samples of CAISO."""

from __future__ import annotations

from datetime import timedelta

from .sample import DAY, HOURS, Sample, csv, steps

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
        second="OPR_HR",
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
