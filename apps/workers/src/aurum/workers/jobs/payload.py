"""From a payload, as it stood in the queue, to a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from aurum.core.errors import Invalid
from aurum.pipelines.jobs import Job

JobT = TypeVar("JobT", bound=Job)


class InvalidPayload(Invalid):
    """A payload that is none of the job's. Facts: ``job``."""


def read_payload(kind: type[JobT], payload: Mapping[str, object]) -> JobT:
    """The job of a payload. Raises ``InvalidPayload`` that names every member that is wrong."""
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InvalidPayload(f"{kind.name}: {wrong}", job=kind.name) from error
