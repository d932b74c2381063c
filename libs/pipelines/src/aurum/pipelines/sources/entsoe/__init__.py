"""ENTSO-E Transparency Platform.

No ``urls``: every request to the web service (``https://web-api.tp.entsoe.eu/api``) carries a personal security token.
"""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.entsoe import acknowledgement, power, prices

__all__ = ["SOURCE"]

SOURCE = Source(
    name="entsoe",
    title="ENTSO-E Transparency Platform",
    homepage="https://transparency.entsoe.eu",
    formats=(prices.FORMAT, *power.FORMATS, acknowledgement.FORMAT),
    terms="Free use with ENTSO-E named as the source; prices and some data items remain their owners'.",
)
