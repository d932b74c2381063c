"""European Central Bank."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.ecb import reference_rates, urls

__all__ = ["SOURCE"]

SOURCE = Source(
    name="ecb",
    title="European Central Bank",
    homepage="https://www.ecb.europa.eu",
    formats=(reference_rates.FORMAT,),
    files=urls.FILES,
    terms="Free to use with the ECB named as the source.",
)
