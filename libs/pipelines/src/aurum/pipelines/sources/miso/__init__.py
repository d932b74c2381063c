"""Midcontinent Independent System Operator."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.miso import urls
from aurum.pipelines.sources.miso.lmp import FORMAT

__all__ = ["SOURCE"]

SOURCE = Source(
    name="miso",
    title="Midcontinent Independent System Operator",
    homepage="https://www.misoenergy.org",
    formats=(FORMAT,),
    files=urls.FILES,
    terms="Public market reports; redistribution is limited by MISO's terms of use.",
)
