"""What a failure is to a shell: one table, by what the caller can do (see ``aurum.core.errors``)."""

from __future__ import annotations

from aurum.core.errors import AurumError, Conflict, Forbidden, Invalid, NotFound, RateLimited, Unauthenticated, Unavailable

UNAVAILABLE = 1
"""Something is not there or does not answer; also any failure no other code fits."""
USAGE = 2
"""The command line cannot be understood, or names what does not exist."""
REFUSED_FILES = 3
"""At least one file was refused; the others are loaded."""
INTERRUPTED = 130

_TABLE: dict[type[AurumError], int] = {
    Invalid: USAGE,
    NotFound: USAGE,
    Conflict: UNAVAILABLE,
    Unauthenticated: UNAVAILABLE,
    Forbidden: UNAVAILABLE,
    RateLimited: UNAVAILABLE,
    Unavailable: UNAVAILABLE,
}


def exit_code(error: AurumError) -> int:
    """The code of the nearest base of an error."""
    return next((_TABLE[base] for base in type(error).__mro__ if base in _TABLE), UNAVAILABLE)
