"""Electric Reliability Council of Texas."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.ercot import posted_csv, urls, web_service, workbook

__all__ = ["SOURCE"]

SOURCE = Source(
    name="ercot",
    title="Electric Reliability Council of Texas",
    homepage="https://www.ercot.com",
    formats=(
        workbook.DAM_FORMAT,
        posted_csv.DAM_FORMAT,
        web_service.DAM_FORMAT,
        posted_csv.RTM_FORMAT,
        web_service.RTM_FORMAT,
        workbook.RTM_FORMAT,
    ),
    files=urls.FILES,
    terms="Public data; excerpts may be passed on with ERCOT named as the source.",
)
