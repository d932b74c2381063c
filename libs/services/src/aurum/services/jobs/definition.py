"""A definition of a job: what is true of every job of one name, for the API, the command and the workers alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from aurum.common.json_values import refuse_unstorable
from aurum.core.access import Permission
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.jobs.states import Queue
from aurum.core.names import nearest


class Payload(BaseModel):
    """The arguments of a job. The queue and the log hold them as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(StrEnum):
    """Where a job runs.

    ``WORKER``: on the event loop of the worker, for work of a few milliseconds that only waits. ``PROCESS``: in a process of
    its own, which can be ended at any moment and whose crash ends nothing else.
    """

    WORKER = "worker"
    PROCESS = "process"


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles of members, which only repeat their names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def _never(_payload: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition of a job.

    ``name``: such as ``ingest.file``. ``summary``: one sentence for users. ``attempts``: at most, failures that are retried
    included. ``longest_wait_s``: before another attempt, unless the error asks for more; None: that of the worker's settings.
    ``exclusive``: returns, for a payload, a text; at most one job with this text runs at a time; None: any number may run
    beside each other. ``permission``: of those who may submit it over the API; None: only Aurum itself does.
    """

    name: str
    payload: type[Payload]
    summary: str
    queue: Queue
    place: Place = Place.PROCESS
    time_limit_s: float = 3600.0
    attempts: int = 10
    longest_wait_s: float | None = None
    priority: int = 5
    exclusive: Callable[[Any], str | None] = _never
    permission: Permission | None = Permission.ADMIN_WRITE

    def read(self, payload: object) -> Payload:
        """Return the typed payload of a JSON object.

        Raises ``InvalidParameters``, which names every wrong member, and for what is not an object: a row written by hand.
        """
        if not isinstance(payload, Mapping):
            raise InvalidParameters(("payload", "takes an object", payload), job=self.name)
        members = cast("Mapping[str, object]", payload)
        try:
            refuse_unstorable(members)
        except ValueError as error:
            raise InvalidParameters(("payload", str(error), None), job=self.name) from error
        try:
            return self.payload.model_validate(dict(members))
        except ValidationError as error:
            wrong = [
                (".".join(("payload", *map(str, one["loc"]))), one["msg"].removeprefix("Value error, "), one.get("input"))
                for one in error.errors(include_url=False, include_context=False)
            ]
            raise InvalidParameters(*wrong, job=self.name) from error

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the payload as a client writes it (draft 2020-12), with the job's name as its title."""
        described = self.payload.model_json_schema(mode="validation", schema_generator=_WithoutTitles)
        members = {name: value for name, value in described.items() if name != "title"}
        return {"$schema": GenerateJsonSchema.schema_dialect, "title": self.name, **members, "description": self.summary}


class UnknownDefinition(UnknownName):
    """No job is defined under this name."""

    def __init__(self, name: str, names: tuple[str, ...]) -> None:
        super().__init__("job", name, nearest(name, names) or names)


@dataclass(frozen=True, slots=True)
class Definitions:
    """The definitions of a release, by name."""

    by_name: Mapping[str, Definition]

    def __getitem__(self, name: str) -> Definition:
        """Return the definition of a name. Raises ``UnknownDefinition``."""
        if name not in self.by_name:
            raise UnknownDefinition(name, tuple(self.by_name))
        return self.by_name[name]
