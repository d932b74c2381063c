"""PJM Interconnection: hourly and five-minute LMP, load, wind and solar, and instantaneous load from Data Miner 2."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.pjm import generation, kaggle, lmp, load, urls

__all__ = ["SOURCE"]

SOURCE = Source(
    name="pjm",
    title="PJM Interconnection",
    homepage="https://dataminer2.pjm.com",
    formats=(
        lmp.DAY_AHEAD,
        lmp.REAL_TIME,
        lmp.REAL_TIME_FIVE_MINUTES,
        load.METERED,
        load.INSTANTANEOUS,
        generation.WIND,
        generation.SOLAR,
        kaggle.PJME_HOURLY,
    ),
    files=urls.FILES,
    politeness=urls.POLITENESS,
    without_files={"pjme_hourly": "Kaggle gives the file to users who are signed in only; it ends in 2018"},
    terms="For use under PJM's terms; redistribution needs a licence from PJM.",
)
