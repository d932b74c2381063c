"""Values of jobs as every adapter stores them: ids that ascend, JSON of limited size, texts that a database accepts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import cast
from uuid import UUID

from aurum.core.errors import Invalid
from aurum.storage.ports.jobs import NewJob

LONGEST_JSON_BYTES = 1 << 20
"""The longest payload, result or evidence, as JSON."""
_LONGEST_BYTES: Mapping[str, int] = {
    "name": 200,
    "queue": 100,
    "tenant": 200,
    "subject": 1000,
    "key": 1000,
    "exclusive": 500,
    "parent": 100,
}
"""The longest texts of a job, in UTF-8. Several stand in one entry of an index, which has at most 2,704 bytes."""
_LONGEST_REASON = 10_000
LONGEST_NOTE = 500
_NUL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_DEEPEST = 100


class InvalidJob(Invalid):
    """A job or its result cannot be stored. Facts: ``member``, the part of it."""

    def __init__(self, member: str, why: str) -> None:
        super().__init__(f"{member} of the job {why}", member=member)


def new_job_ids(count: int, *, at_ms: int, first: int) -> list[UUID]:
    """Return ids in ascending order: UUIDs of version 7 (RFC 9562), so that new rows stand side by side in indexes.

    ``at_ms``: milliseconds since 1970. ``first``: the random part of the first id, below 2**73; the others count up from it.
    """
    return [_uuid7(at_ms, first + n) for n in range(count)]


def _uuid7(at_ms: int, low: int) -> UUID:
    return UUID(int=at_ms << 80 | 7 << 76 | (low >> 62 & 0xFFF) << 64 | 0b10 << 62 | low & (1 << 62) - 1)


def job_uuid(job_id: str) -> UUID | None:
    """Return the id of a job that a caller wrote; None for a text that is not an id."""
    try:
        return UUID(job_id)
    except ValueError:
        return None


def check_new_job(job: NewJob) -> None:
    """Raise ``InvalidJob`` for a priority or a text that cannot be stored. ``stored_json`` checks the payload."""
    if not 0 <= job.priority <= 9:
        raise InvalidJob("priority", f"is {job.priority}: 0 to 9 are accepted")
    if job.exclusive == "" or job.key == "" or job.tenant == "":
        raise InvalidJob(next(name for name in ("exclusive", "key", "tenant") if getattr(job, name) == ""), "is an empty text")
    if job.parent is not None and job_uuid(job.parent) is None:
        raise InvalidJob("parent", f"is {job.parent!r}, which is not the id of a job")
    if job.run_after is not None and job.run_after.tzinfo is None:
        raise InvalidJob("run_after", f"is {job.run_after.isoformat()}, which has no time zone")
    for member, longest in _LONGEST_BYTES.items():
        text: str | None = getattr(job, member)
        if text is None:
            continue
        if "\x00" in text:
            raise InvalidJob(member, "has a NUL character")
        if len(_utf8(member, text)) > longest:
            raise InvalidJob(member, f"is longer than {longest} bytes")


def stored_json(member: str, value: Mapping[str, object]) -> str:
    """Return a value as JSON text.

    Raises ``InvalidJob`` for values that JSON does not have, names that are not texts, NUL characters, which databases do not
    store, and more than ``LONGEST_JSON_BYTES``.
    """
    _require_json(member, value, _DEEPEST)
    try:
        text = json.dumps(dict(value), ensure_ascii=False, separators=(",", ":"), default=dict)
    except ValueError as error:  # an integer of more than 4,300 digits
        raise InvalidJob(member, f"cannot be written as JSON: {error}") from error
    size = len(_utf8(member, text))
    if size > LONGEST_JSON_BYTES:
        raise InvalidJob(member, f"has {size} bytes as JSON: at most {LONGEST_JSON_BYTES} are accepted")
    if _NUL_IN_JSON.search(text):
        raise InvalidJob(member, "has a NUL character")
    return text


def _require_json(member: str, value: object, depth: int) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidJob(member, f"has the number {value}, which JSON does not have")
    if isinstance(value, Mapping | list | tuple):
        if depth == 0:
            raise InvalidJob(member, f"is nested deeper than {_DEEPEST} levels")
        if isinstance(value, Mapping):
            named = cast("Mapping[object, object]", value)
            if wrong := [name for name in named if not isinstance(name, str)]:
                raise InvalidJob(member, f"has the name {wrong[0]!r}, which is not a text")
            parts = list(named.values())
        else:
            parts = list(cast("list[object]", value))
        for part in parts:
            _require_json(member, part, depth - 1)
    elif not (value is None or isinstance(value, str | int | float)):
        raise InvalidJob(member, f"has a {type(value).__name__}, which JSON does not have")


def evidence_json(value: Mapping[str, object]) -> str:
    """Return evidence as JSON text. Evidence that cannot be stored is replaced by the reason: a job must end in any case."""
    try:
        return stored_json("evidence", cast("Mapping[str, object]", _cleaned(value)))
    except InvalidJob as error:
        return json.dumps({"dropped": error.detail})


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {name: _cleaned(part) for name, part in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_cleaned(part) for part in cast("list[object]", value)]
    return value


def storable(text: str, longest: int = LONGEST_JSON_BYTES) -> str:
    """Return a text without characters that a database refuses, at most ``longest`` characters of it."""
    return text[:longest].replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def stored_reason(text: str) -> str:
    """Return the reason of a failure as it is stored."""
    return storable(text, _LONGEST_REASON)


def _utf8(member: str, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidJob(member, "has half of a surrogate pair, which is not a character") from error
