"""Base classes of expected errors, by what the caller can do about them.

    AurumError
    ├── Invalid            change the request or the input
    ├── NotFound           ask for something that exists (``nearest`` names some)
    ├── Gone               ask for what is still served; it is lost for good
    ├── Conflict           read again, then decide
    ├── Unauthenticated    send a valid API key or token
    ├── Forbidden          ask for the permission
    ├── RateLimited        wait ``retry_after`` seconds
    └── Unavailable        try again later; ``retry_after`` seconds when known

Subclasses are defined beside the code that raises them, and carry facts, not prose. No error here knows of HTTP or of exit
codes: the API and the command line each have one table that maps these base classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class AurumError(Exception):
    """An expected failure: one sentence for a person, facts for a program.

    ``facts`` hold JSON-representable values only; they become members of the problem document.
    """

    def __init__(self, detail: str, **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts: Mapping[str, object] = MappingProxyType(facts)

    @property
    def operator_detail(self) -> str:
        """The detail for the log and the command line, which may say more than clients of the API learn."""
        return self.detail


class Invalid(AurumError):
    """The request or the input cannot be understood or breaks a rule; repeating it will not help."""


class InvalidParameters(Invalid):
    """One or more parameters of a request or a command that cannot be used.

    ``errors``: (parameter, reason, value) of each. Facts: ``errors``, a list of ``field``, ``message`` and ``value``.
    """

    def __init__(self, *errors: tuple[str, str, object], **facts: object) -> None:
        named = [{"field": field, "message": message, "value": value} for field, message, value in errors]
        super().__init__("; ".join(f"{field}: {message}" for field, message, _ in errors), errors=named, **facts)


class NotFound(AurumError):
    """The requested thing does not exist."""


class Gone(AurumError):
    """The requested thing was there and is served no longer."""


class Conflict(AurumError):
    """The request contradicts the present state."""


class Unauthenticated(AurumError):
    """The request has no valid credential."""


class Forbidden(AurumError):
    """The caller is known and may not do this."""


class RateLimited(AurumError):
    """The caller makes too many requests."""

    def __init__(self, detail: str, *, retry_after: float, **facts: object) -> None:
        super().__init__(detail, **facts)
        self.retry_after = retry_after


class Unavailable(AurumError):
    """Something this service depends on does not answer; the same request may succeed later.

    ``where``: the server and the cause, for operators (``db.example:5432: Connection refused``); never a password. It is no
    fact, because clients of the API must not learn addresses.
    """

    def __init__(self, detail: str, *, retry_after: float | None = None, where: str = "", **facts: object) -> None:
        super().__init__(detail, **facts)
        self.retry_after = retry_after
        self.where = where

    @property
    def operator_detail(self) -> str:
        """The detail with the server and the cause, where they are known."""
        return f"{self.detail} ({self.where})" if self.where else self.detail


class UnknownName(NotFound):
    """A name that is in no vocabulary: an unknown series, unit, block, market ...

    Facts: ``kind``, ``name``, ``nearest`` (up to five valid names, closest first).
    """

    def __init__(self, kind: str, name: str, nearest: tuple[str, ...] = ()) -> None:
        hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
        super().__init__(f"unknown {kind} {name!r}{hint}", kind=kind, name=name, nearest=list(nearest))
        self.kind = kind
        self.name = name
        self.nearest = nearest

    def at(self, field: str) -> UnknownName:
        """Return this error with the member of the request that has the name. Facts: also ``errors``, with that one."""
        wrong = {"field": field, "message": self.detail, "value": self.name}
        self.detail = f"{field}: {self.detail}"
        self.args = (self.detail,)
        self.facts = MappingProxyType({**self.facts, "errors": [wrong]})
        return self
