"""US National Oceanic and Atmospheric Administration, National Centers for Environmental Information."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.noaa import access, past_weather, rows, urls

__all__ = ["SOURCE"]

SOURCE = Source(
    name="noaa",
    title="NOAA National Centers for Environmental Information",
    homepage="https://www.ncei.noaa.gov",
    formats=(rows.EXTRACT, rows.BY_STATION, access.FORMAT, past_weather.FORMAT),
    files=urls.FILES,
    terms="US government publication: public domain, NOAA named as the source.",
)
