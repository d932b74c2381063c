"""Samples of ERCOT."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .sample import Sample, csv

DAM_ROWS = [["07/04/2025", f"{n:02}:00", "HB_INVENTED", f"{30 + n}.25", "N"] for n in range(1, 7)]
RTM_ROWS = [["07/04/2025", 2, n, "HB_INVENTED", "HU", f"{30 + n}.25", "N"] for n in range(1, 5)]
DAM_HEADER = ["DeliveryDate", "HourEnding", "SettlementPoint", "SettlementPointPrice", "DSTFlag"]
RTM_HEADER = [
    "DeliveryDate",
    "DeliveryHour",
    "DeliveryInterval",
    "SettlementPointName",
    "SettlementPointType",
    "SettlementPointPrice",
    "DSTFlag",
]


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
