"""SIMPLE files: quotes that a desk exports itself."""

from aurum.pipelines.source import Source
from aurum.pipelines.sources.simple import quotes_csv

__all__ = ["SOURCE"]

SOURCE = Source(
    name="simple",
    title="Quotes of a desk",
    homepage="",
    formats=(quotes_csv.FORMAT,),
    terms="The desk's own.",
    without_files={"quotes": "a desk writes these files itself"},
)
