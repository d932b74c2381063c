"""The parsing of a payload from the queue to a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from aurum.core.errors import Invalid
from aurum.pipelines.jobs import Job

JobT = TypeVar("JobT", bound=Job)


class InvalidPayload(Invalid):
    """A payload that does not match the schema of its job. Facts: ``job``."""


def read_payload(kind: type[JobT], payload: Mapping[str, object]) -> JobT:
    """Return the job of a payload. Raises ``InvalidPayload``, which names every wrong member."""
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors())
        raise InvalidPayload(f"{kind.name}: {wrong}", job=kind.name) from error
