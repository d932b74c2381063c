"""The format of a response: the parameter ``format``, else ``Accept``, else JSON. Some routes draw pictures as well."""

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
DATA_FILES = tuple(media_type.split(";")[0].encode() for name, media_type in MEDIA_TYPES.items() if name != "json")
"""Media types of the bulk formats, without parameters."""
PICTURES = {"svg": "image/svg+xml", "png": "image/png"}
"""Media types of the pictures that some routes draw."""
_OFFERS = {media_type.split(";")[0]: name for name, media_type in MEDIA_TYPES.items()}
"""Formats by media type, in the order of preference."""
_WITH_PICTURES = _OFFERS | {media_type: name for name, media_type in PICTURES.items()}
_REFUSED = (0.0, 0)
"""The rank of a format that is not acceptable: every acceptable one ranks before it."""


def chosen_format(requested: str | None, accept: str | None, *, pictures: bool = False) -> str:
    """Return the name of the format. ``requested``: the parameter ``format``. ``pictures``: the route draws them as well.

    Raises ``NotAcceptable`` when ``Accept`` allows no available format.
    """
    if requested is not None:
        return requested
    if not accept or accept == "*/*":
        return "json"
    ranges: dict[str, tuple[float, int]] = {}
    for place, part in enumerate(accept.split(",")):
        media_range, quality = _range(part)
        ranges.setdefault(media_range, (-quality, place))
    offers = _WITH_PICTURES if pictures else _OFFERS
    ranked = [(_rank(offer, ranges), name) for offer, name in offers.items()]
    best, name = min(ranked, key=lambda pair: pair[0])
    if best >= _REFUSED:
        raise NotAcceptable(
            f"Accept allows none of the available formats: {accept}; available: {', '.join(offers)}", offered=list(offers)
        )
    return name


def _rank(offer: str, ranges: Mapping[str, tuple[float, int]]) -> tuple[float, int]:
    """Return the rank of a format by quality, then by place in the header; the lowest is the best.

    Of several ranges that include the format, the most specific counts.
    """
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
