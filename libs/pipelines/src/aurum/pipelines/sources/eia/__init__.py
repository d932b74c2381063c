"""US Energy Information Administration."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.eia import api, navigator, storage, urls, web_service, wholesale

__all__ = ["SOURCE"]

SOURCE = Source(
    name="eia",
    title="US Energy Information Administration",
    homepage="https://www.eia.gov",
    formats=(
        api.FORMAT,
        navigator.WORKBOOK,
        navigator.SHEET_CSV,
        navigator.CHART_CSV,
        storage.WORKBOOK,
        storage.FLAT,
        wholesale.FORMAT,
    ),
    files={**urls.FILES, **web_service.FILES},
    politeness=web_service.POLITENESS,
    terms="US government publication: public domain, EIA named as the source; hub prices courtesy of ICE.",
)
