"""Brokers' end-of-day workbooks."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.eod_workbook import workbook

__all__ = ["SOURCE"]

_MAILED = "brokers send their marks to customers, and no address of them is public"

SOURCE = Source(
    name="eod_workbook",
    title="Brokers' end-of-day marks",
    homepage="",
    formats=workbook.FORMATS,
    terms="A broker's marks are its own: they are for its customers and are not passed on.",
    without_files={"eugp": _MAILED, "rp": _MAILED, "pw": _MAILED},
)
