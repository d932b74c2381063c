"""Alberta Electric System Operator."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.aeso import urls
from aurum.pipelines.sources.aeso.supply_demand import FORMAT

__all__ = ["SOURCE"]

SOURCE = Source(
    name="aeso",
    title="Alberta Electric System Operator",
    homepage="https://www.aeso.ca",
    formats=(FORMAT,),
    files=urls.FILES,
    terms="Public report; see AESO's terms of use.",
)
