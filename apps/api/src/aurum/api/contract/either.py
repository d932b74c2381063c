"""Request bodies that may have one of several models. The members of a body decide by which model it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from pydantic import BaseModel, BeforeValidator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError


def either(form_of: Callable[[Mapping[str, object]], type[BaseModel]]) -> BeforeValidator:
    """Return the validator of a union of models that reads a body by one of them, so that errors are of that one alone.

    ``form_of``: the model of a body. It may raise ``ValidationError``, such as ``refused_members``. A union by itself tries
    each model, and tells the errors of all, under the names of their classes.
    """

    def read(value: object) -> object:
        # A value that is not an object has no members to choose by; the model refuses it.
        members = cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}
        return form_of(members).model_validate(value, from_attributes=True)

    return BeforeValidator(read)


def refused_members(body: Mapping[str, object], names: list[str], why: str) -> ValidationError:
    """Return the error of members that a body may not have. ``why``: a sentence about each, with its subject left out."""
    wrong = [
        InitErrorDetails(type=PydanticCustomError("extra_forbidden", "{why}", {"why": why}), loc=(name,), input=body[name])
        for name in names
    ]
    return ValidationError.from_exception_data("body", wrong)
