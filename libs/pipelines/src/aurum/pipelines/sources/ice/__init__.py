"""Intercontinental Exchange."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.ice.datasets import FUTURES
from aurum.pipelines.sources.nymex.settlements import settlements

__all__ = ["SOURCE"]

SOURCE = Source(
    name="ice",
    title="Intercontinental Exchange",
    homepage="https://www.ice.com",
    formats=(settlements("ICE futures CSV", FUTURES, "ICE"),),
    terms="Market data of ICE are licensed; redistribution needs a licence.",
    without_files={FUTURES.name: "ICE sells its settlements to subscribers"},
)
