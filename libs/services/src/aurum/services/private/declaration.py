"""Declarations of private series: their names, keys and descriptions."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import polars as pl

from aurum.core.errors import Invalid, InvalidParameters, UnknownName
from aurum.core.frames import SERIES
from aurum.core.frequency import parse_frequency
from aurum.core.keys import SeriesKey
from aurum.core.markettime import parse_zone
from aurum.core.series.model import SeriesSpec
from aurum.core.units import parse_unit
from aurum.core.visible import is_visible
from aurum.storage.ports.private import PRIVATE_SOURCE

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""Pattern of names. They are parts of keys, of paths and of file names, so no character of them needs an escape."""
LONGEST_TITLE = 200

_NAME = re.compile(NAME.removesuffix("$") + r"\Z", re.ASCII)


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a private series. Names that differ in case are two names.

    >>> is_name("meter-7.east"), is_name("../meter"), is_name("meter 7")
    (True, False, False)
    """
    return _NAME.fullmatch(text) is not None


def private_key(name: str) -> SeriesKey:
    """Return the key of a private series; every tenant may have a series of it. Raises ``InvalidSeriesKey``.

    >>> str(private_key("meter-7"))
    'private:series:meter-7:value'
    """
    return SeriesKey(PRIVATE_SOURCE, "series", name, "value")


def private_spec(name: str, *, unit: str, frequency: str, zone: str, title: str = "") -> SeriesSpec:
    """Return the description of a private series. Raises ``InvalidParameters``, which names each bad field.

    ``unit``: in any spelling of the vocabulary. ``frequency``: the step. ``zone``: IANA name of the clock that its days are
    counted in, and in which its times without an offset are read.
    """
    errors: list[tuple[str, str, object]] = []
    if not is_name(name):
        why = "must be 1 to 100 letters, digits, dots, hyphens and underscores (ASCII), a letter or a digit first"
        errors.append(("name", why, name[:200]))
    if len(title) > LONGEST_TITLE or not is_visible(title) or title != title.strip():
        why = f"must have at most {LONGEST_TITLE} visible characters, no blank at its ends"
        errors.append(("title", why, title[:LONGEST_TITLE]))
    parsed: dict[str, str] = {}
    currency: str | None = None
    for field, text in (("unit", unit), ("frequency", frequency), ("zone", zone)):
        try:
            if field == "unit":
                known = parse_unit(text)
                parsed[field], currency = known.text, known.currency
            else:
                parsed[field] = str(parse_frequency(text)) if field == "frequency" else parse_zone(text)
        except (UnknownName, Invalid) as error:
            errors.append((field, error.detail, text[:200]))
    if errors:
        raise InvalidParameters(*errors)
    return SeriesSpec(
        key=private_key(name),
        unit=parsed["unit"],
        currency=currency,
        frequency=parse_frequency(parsed["frequency"]),
        zone=parsed["zone"],
        location_name=title,
    )


def series_frame(spec: SeriesSpec) -> pl.DataFrame:
    """Return a description as a frame of schema ``core.frames.SERIES``. What a private series does not have is null."""
    values = asdict(spec) | {
        "key": str(spec.key),
        "source": spec.key.source,
        "dataset": spec.key.dataset,
        "location": spec.key.location,
        "measure": spec.key.measure,
        "frequency": str(spec.frequency),
        "labels": json.dumps(dict(spec.labels)),
    }
    texts = {name: value if value is None else str(value) for name, value in values.items() if name in SERIES}
    return pl.DataFrame([{name: texts.get(name) for name in SERIES}], schema=SERIES)
