"""European Energy Exchange."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.eex import day_ahead, futures
from aurum.pipelines.sources.eex.datasets import DAY_AHEAD_AUCTION, POWER_FUTURES

__all__ = ["SOURCE"]

SOURCE = Source(
    name="eex",
    title="European Energy Exchange",
    homepage="https://www.eex.com",
    formats=(futures.FORMAT, day_ahead.FORMAT),
    terms="Market data of EEX Group are sold by subscription; redistribution needs a licence.",
    without_files={
        POWER_FUTURES.name: "EEX gives its settlements to subscribers only",
        DAY_AHEAD_AUCTION.name: "EPEX SPOT gives its history to subscribers only; ENTSO-E has the same prices",
    },
)
