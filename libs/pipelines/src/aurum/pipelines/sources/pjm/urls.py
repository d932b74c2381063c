"""Queries of PJM's Data Miner 2 web service for the feeds of the datasets, as CSV.

Source: PJM, "Data Miner API Guide" (https://www.pjm.com/-/media/etools/data-miner-2/data-miner-2-api-guide.ashx): address, the
header ``Ocp-Apim-Subscription-Key``, ``rowCount`` (50,000 at most) and ``startRow`` (from 1), which are required beside any
other parameter, the filter of a range of times, ``format=csv``, and ``download=true`` for the rows alone. Several values of a
filter are separated by semicolons. A query of archived prices (older than 731 days, five-minute ones 186) must not sort, must
lie in one UTC calendar year, and may filter by type only. Non-members may make six requests a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from aurum.pipelines.paging import CsvPages, with_parameters
from aurum.pipelines.public_files import Content, Credential, Politeness, PublicFiles, Query, Request, Wanted
from aurum.pipelines.sources.pjm.datasets import HUBS

HOST = "api.pjm.com"
MANUAL = "PJM, Data Miner API Guide, https://www.pjm.com/-/media/etools/data-miner-2/data-miner-2-api-guide.ashx"

KEY = Credential(
    name="pjm",
    setting="AURUM_FETCH__PJM_KEY",
    where="https://apiportal.pjm.com",
    header="Ocp-Apim-Subscription-Key",
)

POLITENESS = (Politeness(HOST, 10.0, "PJM, Data Miner API Guide: non-members may make 6 requests a minute, members 600"),)

_PAGES = CsvPages(start="startRow", count_parameter="rowCount", size=50_000)


def feed(name: str, **filters: str) -> Callable[[Wanted], Sequence[Request]]:
    """Return the function from local days to the requests of a feed: one, and two where the days hold the end of a UTC year.

    ``filters``: further parameters; ``PART`` in a value stands for the requested part; filters without a value are left out.
    """

    def requests(wanted: Wanted) -> list[Request]:
        chosen = {key: text for key, value in filters.items() if (text := value.replace("PART", wanted.part))}
        return [
            Request(
                with_parameters(
                    f"https://{HOST}/api/v1/{name}",
                    download="true",
                    format="csv",
                    datetime_beginning_ept=f"{begin} to {end}",
                    **chosen,
                ),
                name=f"{name}.csv",
                pages=_PAGES,
            )
            for begin, end in _spans(wanted.first, wanted.last)
        ]

    return requests


def _spans(first: date, last: date) -> list[tuple[str, str]]:
    """Return the first and the last minute of local days, split at the end of each UTC year, which is 19:00 in New York."""
    cuts = [date(year, 12, 31) for year in range(first.year, last.year + 1) if date(year, 12, 31) <= last]
    begins = [f"{first:%m/%d/%Y} 00:00", *(f"{cut:%m/%d/%Y} 19:00" for cut in cuts)]
    ends = [*(f"{cut:%m/%d/%Y} 18:59" for cut in cuts), f"{last:%m/%d/%Y} 23:59"]
    return list(zip(begins, ends, strict=True))


def _files(
    requests: Callable[[Wanted], Sequence[Request]], *, parts: tuple[str, ...] = ("",), longest_days: int = 31
) -> PublicFiles:
    query = Query(requests, parts=parts, longest_days=longest_days)
    return PublicFiles(query=query, manual=MANUAL, needs=KEY, content=Content.CSV)


# A day of hourly prices at all nodes has about 540,000 rows, or eleven pages. A part is a type of node, such as HUB or ZONE.
_PRICES = {"row_is_current": "true", "type": "PART"}

FILES: Mapping[str, PublicFiles] = {
    "da_hrl_lmps": _files(feed("da_hrl_lmps", **_PRICES), longest_days=1),
    "rt_hrl_lmps": _files(feed("rt_hrl_lmps", **_PRICES), longest_days=1),
    # All nodes of a day would be 130 pages, so hubs and the whole region are the default; the feed has no filter by type.
    "rt_fivemin_hrl_lmps": _files(
        feed("rt_fivemin_hrl_lmps", row_is_current="true", pnode_id="PART"), parts=(";".join(HUBS.values()),), longest_days=1
    ),
    "hrl_load_metered": _files(feed("hrl_load_metered")),
    "inst_load": _files(feed("inst_load"), longest_days=7),
    "wind_gen": _files(feed("wind_gen")),
    "solar_gen": _files(feed("solar_gen")),
}
