"""A failed attempt as facts, for the log of jobs and for the worker, which may be another process than the one that failed."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aurum.core.errors import AurumError
from aurum.core.jobs.fates import Fate, fate_of, requested_wait_s

_TRACEBACK_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed. ``kind``: the class of the error. ``wait_s``: the wait that it asks for. ``trace``: the end of its
    traceback; empty for an expected failure. ``fate``: of the job, before its attempts are counted.
    """

    kind: str
    reason: str
    fate: Fate
    wait_s: float
    trace: str

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Return the failure of an exception."""
        is_expected = isinstance(error, AurumError)
        text = "" if is_expected else "".join(traceback.format_exception(error))[-_TRACEBACK_CHARACTERS:]
        return cls(type(error).__name__, reason_of(error), fate_of(error), requested_wait_s(error), text)

    @classmethod
    def of_message(cls, values: Mapping[str, Any]) -> Failure:
        """Return the failure of the values of ``as_message``."""
        return cls(
            str(values["kind"]), str(values["reason"]), Fate(values["fate"]), float(values["wait_s"]), str(values["trace"])
        )

    def as_message(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def reason_of(error: BaseException) -> str:
    """Return the reason of an error for users: its sentence, or class and text of an error that was not expected."""
    return error.detail if isinstance(error, AurumError) else f"{type(error).__name__} {error}".strip()
