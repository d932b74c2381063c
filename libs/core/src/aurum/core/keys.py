"""Names of series: ``source:dataset:location_id:measure``, e.g. ``isone:da_lmp:321:lmp``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aurum.core.errors import Invalid
from aurum.core.visible import is_visible

_WORD = re.compile(r"[a-z0-9][a-z0-9_]*")


class InvalidSeriesKey(Invalid):
    """A text that is not a series key. Facts: ``key``."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key!r} is not a series key (source:dataset:location_id:measure): {why}", key=key)


def is_location(text: str) -> bool:
    """Return whether a text can be the location of a series: printable, not empty, without outer blanks.

    The one rule for writing and for reading: what is stored under another rule could not be listed. Characters that show
    nothing (``core.visible``) are refused, printable for Python or not.

    >>> is_location("61757\\u200b"), is_location("61757\\u3164")
    (False, False)
    """
    return bool(text) and is_visible(text) and text == text.strip()


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """The key of a series: one measure at one location in one dataset.

    ``source``, ``dataset`` and ``measure`` are lower-case words. ``location`` is the source's own id without outer blanks; it
    may contain any printable character, even a colon, because the other three parts cannot.

    >>> SeriesKey.parse("isone:da_lmp:321:lmp").location
    '321'
    """

    source: str
    dataset: str
    location: str
    measure: str

    def __post_init__(self) -> None:
        for part in (self.source, self.dataset, self.measure):
            if not _WORD.fullmatch(part):
                raise InvalidSeriesKey(str(self), f"{part!r} is not a lower-case word")
        if not is_location(self.location):
            raise InvalidSeriesKey(
                str(self), f"location {self.location!r} is empty, padded or has characters that cannot be seen"
            )

    def __str__(self) -> str:
        return f"{self.source}:{self.dataset}:{self.location}:{self.measure}"

    @classmethod
    def parse(cls, text: str) -> SeriesKey:
        """Return the key that a text names. Raises ``InvalidSeriesKey``."""
        parts = text.split(":")
        if len(parts) < 4:
            raise InvalidSeriesKey(text, "four parts are needed")
        return cls(parts[0], parts[1], ":".join(parts[2:-1]), parts[-1])
