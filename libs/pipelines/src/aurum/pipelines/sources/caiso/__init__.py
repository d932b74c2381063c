"""California Independent System Operator."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.caiso import oasis_csv, oasis_xml, renewables_watch
from aurum.pipelines.sources.caiso.urls import FILES, POLITENESS

__all__ = ["SOURCE"]

SOURCE = Source(
    name="caiso",
    title="California Independent System Operator",
    homepage="https://www.caiso.com",
    formats=(*oasis_csv.FORMATS, oasis_xml.FORMAT, renewables_watch.FORMAT),
    files=FILES,
    politeness=POLITENESS,
    terms="Public data; excerpts may be passed on with CAISO named as the source.",
)
