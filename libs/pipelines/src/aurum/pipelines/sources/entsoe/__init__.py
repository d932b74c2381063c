"""ENTSO-E Transparency Platform."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.entsoe import acknowledgement, power, prices, urls

__all__ = ["SOURCE"]

SOURCE = Source(
    name="entsoe",
    title="ENTSO-E Transparency Platform",
    homepage="https://transparency.entsoe.eu",
    formats=(prices.FORMAT, *power.FORMATS, acknowledgement.FORMAT),
    files=urls.FILES,
    politeness=urls.POLITENESS,
    terms="Free use with ENTSO-E named as the source; prices and some data items remain their owners'.",
)
