"""US Drought Monitor."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.drought_monitor import dsci, statistics, urls

__all__ = ["SOURCE"]

SOURCE = Source(
    name="drought_monitor",
    title="US Drought Monitor",
    homepage="https://droughtmonitor.unl.edu",
    formats=(statistics.FORMAT, dsci.FORMAT),
    files=urls.FILES,
    terms=(
        "Free to use with credit: the U.S. Drought Monitor is jointly produced by the National Drought Mitigation Center at "
        "the University of Nebraska-Lincoln, the United States Department of Agriculture and the National Oceanic and "
        "Atmospheric Administration."
    ),
)
