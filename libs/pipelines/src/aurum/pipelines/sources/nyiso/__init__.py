"""New York ISO: the public MIS files (prices, load, forecast, fuel mix, interface flows) and OASIS exports of zonal prices."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.nyiso import flows, forecast, fuelmix, lbmp, load, oasis, urls

__all__ = ["SOURCE"]

SOURCE = Source(
    name="nyiso",
    title="New York Independent System Operator",
    homepage="https://www.nyiso.com",
    formats=(
        lbmp.DAMLBMP_ZONE_FORMAT,
        lbmp.DAMLBMP_GEN_FORMAT,
        lbmp.REALTIME_ZONE_FORMAT,
        lbmp.REALTIME_GEN_FORMAT,
        oasis.DAM_ZONAL_FORMAT,
        oasis.RTC_ZONAL_FORMAT,
        load.PAL_FORMAT,
        load.PAL_INTEGRATED_FORMAT,
        forecast.ISOLF_FORMAT,
        fuelmix.RTFUELMIX_FORMAT,
        flows.EXTERNAL_LIMITS_FLOWS_FORMAT,
    ),
    files=urls.FILES,
    without_files=urls.WITHOUT,
    terms="Public market data; excerpts may be shown with attribution to NYISO.",
)
