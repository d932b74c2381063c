"""Open data sets of datahub.io."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.datahub import commodities, macro, urls

__all__ = ["SOURCE"]

SOURCE = Source(
    name="datahub",
    title="datahub.io core data sets",
    homepage="https://datahub.io/collections/core-datasets",
    formats=(commodities.FORMAT, macro.CPI_FORMAT, macro.RATES_FORMAT),
    files=urls.FILES,
    terms="Public Domain Dedication and License (PDDL).",
)
