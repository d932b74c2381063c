"""FRED, Federal Reserve Economic Data, of the Federal Reserve Bank of St. Louis."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.fred import graph_csv, observations_json, urls

__all__ = ["SOURCE"]

SOURCE = Source(
    name="fred",
    title="FRED, Federal Reserve Bank of St. Louis",
    homepage="https://fred.stlouisfed.org",
    formats=(graph_csv.FORMAT, observations_json.FORMAT),
    files=urls.FILES,
    politeness=urls.POLITENESS,
    terms="Free to use with FRED named as the source; each series keeps the terms of its owner.",
)
