"""The lineage of a number as the API and the command show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from aurum.core.lineage import Place, PlaceState
from aurum.services.lineage.answer import Lineage, OfSeries, is_computed, sender_of
from aurum.services.lineage.origins import Origin


def lineage_document(lineage: Lineage, places: Sequence[Place]) -> dict[str, Any]:
    """Return the members ``data`` and ``meta`` of an answer. ``places``: of the number in each file of ``lineage``."""
    data = {
        "number": _number(lineage),
        "value": lineage.value,
        "unit": lineage.unit,
        "currency": lineage.currency,
        "known_at": lineage.known_at,
        "known_at_basis": lineage.basis,
        "versions": [asdict(one) for one in lineage.versions],
        "restatements": [asdict(one) for one in lineage.restatements],
        "files": [_file(origin, place) for origin, place in zip(lineage.origins, places, strict=True)],
        "more_files": lineage.more_files,
        "computed_by": None if lineage.computed_by is None else asdict(lineage.computed_by),
    }
    pending = any(place.state is PlaceState.PENDING for place in places)
    return {"data": data, "meta": {"as_of": lineage.as_of, "as_loaded": lineage.as_loaded, "pending": pending}}


def _number(lineage: Lineage) -> dict[str, Any]:
    number = lineage.number
    if isinstance(number, OfSeries):
        return {"kind": "observation", "series": number.key, "start": number.start, "end": number.end}
    period = number.period.document()
    return {
        "kind": "quote",
        "curve": number.key,
        "trade_date": number.trade_date,
        "period": period,
        "field": number.field,
    }


def _file(origin: Origin, place: Place) -> dict[str, Any]:
    file, sender = origin.file, sender_of(origin.file)
    return {
        "role": str(origin.role),
        "how": "file" if sender is None else "computed" if is_computed(file) else "request",
        "sent_by": sender,
        "file_id": file.file_id,
        "name": file.name,
        "archive": file.archive or None,
        "digest": file.digest,
        "size": file.size,
        "source": file.source,
        "dataset": file.dataset,
        "loaded_at": file.loaded_at,
        "recorded_at": origin.recorded_at,
        "parser": _parser(file.format, file.parser_version, file.release),
        "place": {
            "state": str(place.state),
            "why": place.why,
            "line": place.line,
            "counts": None if place.counts is None else str(place.counts),
            "cell": place.cell,
            "column": place.column,
            "column_number": place.column_number,
            "text": place.text,
            "value": place.value,
            "verified": place.verified,
            "parser": _parser(place.format, place.parser_version, place.release),
            "parser_changed": place.parser_changed,
            "job_id": place.job_id,
        },
    }


def _parser(name: str, version: str, release: str) -> dict[str, str] | None:
    """Return the parser of a format; None: not on record."""
    return {"format": name, "version": version, "release": release} if name else None
