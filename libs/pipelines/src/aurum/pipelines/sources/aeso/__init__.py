"""Alberta Electric System Operator.

No ``urls``: the report (ets.aeso.ca, ``CSDReportServlet?contentType=csv``) shows the present only; past days are not available.
"""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.aeso.supply_demand import FORMAT

__all__ = ["SOURCE"]

SOURCE = Source(
    name="aeso",
    title="Alberta Electric System Operator",
    homepage="https://www.aeso.ca",
    formats=(FORMAT,),
    terms="Public report; see AESO's terms of use.",
)
