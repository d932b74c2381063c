"""Southwest Power Pool."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.spp import urls
from aurum.pipelines.sources.spp.lmp import DA_FORMAT, RTBM_FORMAT

__all__ = ["SOURCE"]

SOURCE = Source(
    name="spp",
    title="Southwest Power Pool",
    homepage="https://www.spp.org",
    formats=(DA_FORMAT, RTBM_FORMAT),
    files=urls.FILES,
    terms="Public portal; redistribution is limited by SPP's terms of use.",
)
