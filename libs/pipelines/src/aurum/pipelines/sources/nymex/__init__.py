"""New York Mercantile Exchange."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.nymex.datasets import FUTURES
from aurum.pipelines.sources.nymex.settlements import settlements

__all__ = ["SOURCE"]

SOURCE = Source(
    name="nymex",
    title="New York Mercantile Exchange (CME Group)",
    homepage="https://www.cmegroup.com",
    formats=(settlements("NYMEX futures CSV", FUTURES, "NYMEX"),),
    terms="Market data of CME Group are licensed; redistribution needs a licence.",
    without_files={FUTURES.name: "CME Group sells the history of settlements through DataMine"},
)
