"""Midcontinent Independent System Operator."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.miso import urls
from aurum.pipelines.sources.miso.datasets import DA_EXPOST_LMP
from aurum.pipelines.sources.miso.lmp import FORMAT

__all__ = ["SOURCE"]

SOURCE = Source(
    name="miso",
    title="Midcontinent Independent System Operator",
    homepage="https://www.misoenergy.org",
    formats=(FORMAT,),
    urls={DA_EXPOST_LMP.name: urls.day_ahead_expost},
    terms="Public market reports; redistribution is limited by MISO's terms of use.",
)
