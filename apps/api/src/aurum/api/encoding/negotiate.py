"""Which format a caller wants: ``format=`` wins, else ``Accept``, else JSON."""

from __future__ import annotations

from collections.abc import Mapping

from aurum.api.encoding import arrow, csv, json, ndjson, parquet
from aurum.api.http.problems import NotAcceptable

MEDIA_TYPES = {
    "json": json.MEDIA_TYPE,
    "ndjson": ndjson.MEDIA_TYPE,
    "csv": csv.MEDIA_TYPE,
    "arrow": arrow.MEDIA_TYPE,
    "parquet": parquet.MEDIA_TYPE,
}
_OFFERS = {media_type.split(";")[0]: name for name, media_type in MEDIA_TYPES.items()}
"""By media type, what is preferred first."""
_REFUSED = (0.0, 0)
"""No offer of a quality above nought ranks as low."""


def chosen_format(given: str | None, accept: str | None) -> str:
    """The name of a format. Raises ``NotAcceptable`` when ``Accept`` allows none of ours."""
    if given is not None:
        return given
    if not accept or accept == "*/*":
        return "json"
    ranges: dict[str, tuple[float, int]] = {}
    for place, part in enumerate(accept.split(",")):
        media_range, quality = _range(part)
        ranges.setdefault(media_range, (-quality, place))
    ranked = [(_rank(offer, ranges), name) for offer, name in _OFFERS.items()]
    best, name = min(ranked, key=lambda found: found[0])
    if best >= _REFUSED:
        raise NotAcceptable(f"none of the accepted formats is offered: {accept}", offered=list(_OFFERS))
    return name


def _rank(offer: str, ranges: Mapping[str, tuple[float, int]]) -> tuple[float, int]:
    """By quality, then by place in the header, the best the lowest. Of the ranges that cover an offer the narrowest counts."""
    for media_range in (offer, offer.partition("/")[0] + "/*", "*/*"):
        if media_range in ranges:
            return ranges[media_range]
    return _REFUSED


def _range(part: str) -> tuple[str, float]:
    media_range, *parameters = (word.strip().lower() for word in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
            return media_range, quality if 0 < quality <= 1 else 0.0
    return media_range, 1.0
