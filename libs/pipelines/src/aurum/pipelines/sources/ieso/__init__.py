"""Independent Electricity System Operator of Ontario."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.ieso import urls
from aurum.pipelines.sources.ieso.fuel import FORMAT

__all__ = ["SOURCE"]

SOURCE = Source(
    name="ieso",
    title="Independent Electricity System Operator (Ontario)",
    homepage="https://www.ieso.ca",
    formats=(FORMAT,),
    files=urls.FILES,
    terms="Public reports; see IESO's terms of use.",
)
