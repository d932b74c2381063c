"""Which format a caller wants: ``format=`` wins, else ``Accept``, else JSON."""

from __future__ import annotations

from aurum.api.encoding import arrow, csv, json, ndjson, parquet
from aurum.api.problems import NotAcceptable

MEDIA_TYPES = {
    "json": json.MEDIA_TYPE,
    "ndjson": ndjson.MEDIA_TYPE,
    "csv": csv.MEDIA_TYPE,
    "arrow": arrow.MEDIA_TYPE,
    "parquet": parquet.MEDIA_TYPE,
}
_BY_MEDIA_TYPE = {media_type.split(";")[0]: name for name, media_type in MEDIA_TYPES.items()} | {"text/*": "csv"}


def chosen_format(given: str | None, accept: str | None) -> str:
    """The name of a format. Raises ``NotAcceptable`` when ``Accept`` allows none of ours."""
    if given is not None:
        return given
    if not accept or accept == "*/*":
        return "json"
    ranges = sorted((_range(part) for part in accept.split(",")), key=lambda found: -found[1])
    for media_range, quality in ranges:
        if quality <= 0:
            continue
        if media_range in ("*/*", "application/*"):
            return "json"
        if media_range in _BY_MEDIA_TYPE:
            return _BY_MEDIA_TYPE[media_range]
    offered = [media_type.split(";")[0] for media_type in MEDIA_TYPES.values()]
    raise NotAcceptable(f"none of the accepted formats is offered: {accept}", offered=offered)


def _range(part: str) -> tuple[str, float]:
    media_range, *parameters = (word.strip().lower() for word in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media_range, float(value)
            except ValueError:
                return media_range, 0.0
    return media_range, 1.0
