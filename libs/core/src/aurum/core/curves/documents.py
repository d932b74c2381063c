"""Reading of reference documents: JSON or TOML objects that describe a product, a calendar or a family of seasons."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TypeVar, cast

from aurum.core.errors import Invalid, UnknownName
from aurum.core.markettime import parse_day
from aurum.core.visible import is_visible

T = TypeVar("T")

_LONGEST = 500
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


class InvalidDocument(Invalid):
    """A document that does not describe what it should. Facts: ``document`` (its kind), ``field`` and ``value``.

    ``why``: the reason alone, where the field is named beside it.
    """

    def __init__(self, kind: str, field: str, why: str, value: object) -> None:
        self.why = why
        super().__init__(f"{kind} {field}: {why}, got {value!r}", document=kind, field=field, value=repr(value))


class Document:
    """The members of a document of a kind, read one by one. All readers raise ``InvalidDocument`` with the member's name."""

    def __init__(self, kind: str, members: Mapping[str, object], known: Iterable[str]) -> None:
        self.kind = kind
        self.members = members
        known = tuple(known)
        unknown = [name for name in members if name not in known]
        if unknown:
            raise self.refused(unknown[0], f"unknown member (known: {', '.join(known)})", members[unknown[0]])

    def refused(self, field: str, why: str, value: object) -> InvalidDocument:
        """Return the error for a member."""
        return InvalidDocument(self.kind, field, why, value)

    def required(self, field: str, kind: type[T]) -> T:
        """Return a member of a type. A member that is null counts as missing."""
        value = self.optional(field, kind)
        if value is None:
            raise self.refused(field, "is missing", None)
        return value

    def optional(self, field: str, kind: type[T]) -> T | None:
        """Return a member of a type; None when it is missing or null."""
        value = self.members.get(field)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool)):
            raise self.refused(field, f"must be a {_TYPES.get(kind, kind.__name__)}", value)
        return value

    def text(self, field: str) -> str:
        """Return a member that is a text of one line with at least one character other than blanks."""
        value = self.note(field)
        if value is None or not value.strip():
            raise self.refused(field, "is missing" if value is None else "must not be empty", value)
        return value

    def note(self, field: str) -> str | None:
        """Return a member that is a text of one line, up to 500 characters that can all be seen; None when it is missing."""
        value = self.optional(field, str)
        if value is not None and (len(value) > _LONGEST or not is_visible(value)):
            raise self.refused(field, f"must be one line of up to {_LONGEST} characters that can be seen", value[:_LONGEST])
        return value

    def word(self, field: str) -> str:
        """Return a member that is a name: up to 64 letters, digits, ``_``, ``.`` and ``-``."""
        value = self.text(field)
        if not _WORD.fullmatch(value):
            raise self.refused(field, "must be up to 64 letters, digits, '_', '.' and '-'", value)
        return value

    def whole(self, field: str, *, default: int | None = None, among: Iterable[int]) -> int:
        """Return a member that is a whole number among some."""
        value = self.optional(field, int)
        if value is None and default is not None:
            return default
        accepted = tuple(among)
        if value is None or value not in accepted:
            raise self.refused(field, f"must be one of {', '.join(map(str, accepted))}", value)
        return value

    def positive(self, field: str) -> float:
        """Return a member that is a finite number above zero."""
        value = self.members.get(field)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise self.refused(field, "must be a number above 0", value)
        return float(value)

    def day(self, field: str) -> date:
        """Return a member that is a day, YYYY-MM-DD."""
        return self.checked(field, parse_day)

    def checked(self, field: str, parse: Callable[[str], T]) -> T:
        """Return a text member as read by a function that raises ``UnknownName`` or ``Invalid``."""
        text = self.text(field)
        try:
            return parse(text)
        except (UnknownName, Invalid) as error:
            raise self.refused(field, error.detail, text) from None

    def items(self, field: str, kind: type[T]) -> tuple[T, ...]:
        """Return a member that is a list of a type; empty when it is missing."""
        items = cast("list[object]", self.optional(field, list) or [])
        for item in items:
            if not isinstance(item, kind):
                raise self.refused(field, f"must be a list of {_TYPES.get(kind, kind.__name__)}s", item)
        return tuple(cast("list[T]", items))

    def objects(self, field: str) -> tuple[Mapping[str, object], ...]:
        """Return a member that is a list of objects; empty when it is missing."""
        return cast("tuple[Mapping[str, object], ...]", self.items(field, dict))


_TYPES: Mapping[type, str] = {str: "text", int: "whole number", list: "list", dict: "object", bool: "boolean"}
