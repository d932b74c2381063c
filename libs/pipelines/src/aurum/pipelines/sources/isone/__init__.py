"""ISO New England: hourly LMP reports, the web service's hourly LMP, and the SMD hourly workbook."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.isone import lmp, smd, urls, web_service

__all__ = ["SOURCE"]

SOURCE = Source(
    name="isone",
    title="ISO New England",
    homepage="https://www.iso-ne.com",
    formats=(lmp.LMP_REPORT, web_service.HOURLY_LMP, smd.WORKBOOK, smd.ZONE_SHEET),
    files=urls.FILES,
    without_files=urls.WITHOUT,
    terms="For use under ISO New England's terms; redistribution is limited.",
)
