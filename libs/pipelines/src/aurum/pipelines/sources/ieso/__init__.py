"""Independent Electricity System Operator of Ontario."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.ieso import urls
from aurum.pipelines.sources.ieso.datasets import GEN_OUTPUT_BY_FUEL_HOURLY
from aurum.pipelines.sources.ieso.fuel import FORMAT

__all__ = ["SOURCE"]

SOURCE = Source(
    name="ieso",
    title="Independent Electricity System Operator (Ontario)",
    homepage="https://www.ieso.ca",
    formats=(FORMAT,),
    urls={GEN_OUTPUT_BY_FUEL_HOURLY.name: urls.gen_output_by_fuel_hourly},
    terms="Public reports; see IESO's terms of use.",
)
