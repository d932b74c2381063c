"""Public file of AESO: the report of the present moment, which has no past; no login.

Source: AESO, ETS market reports, Current Supply Demand Report, as the clients pyiso (``aeso.py``) and electricitymaps
(``CA_AB.py``) read it. The host answers without encryption.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aurum.pipelines.public_files import Content, PublicFiles, Query, Request, Wanted
from aurum.pipelines.sources.aeso.datasets import CURRENT_SUPPLY_DEMAND

_REPORT = "http://ets.aeso.ca/ets_web/ip/Market/Reports/CSDReportServlet"


def _requests(wanted: Wanted) -> list[Request]:
    """Return the request of the report for today; none for a day that is over, or to come."""
    return [Request(f"{_REPORT}?contentType=csv")] if wanted.first == wanted.today else []


FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        CURRENT_SUPPLY_DEMAND.name: PublicFiles(
            query=Query(_requests),
            content=Content.CSV,
            manual=f"AESO, ETS, Current Supply Demand Report, {_REPORT}",
        )
    }
)
