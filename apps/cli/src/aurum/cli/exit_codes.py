"""The exit codes of the command, and the one table from errors (``aurum.core.errors``) to exit codes."""

from __future__ import annotations

from aurum.core.errors import (
    AurumError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

UNAVAILABLE = 1
"""A dependency does not answer, the state does not allow the action, or no other code fits."""
USAGE = 2
"""The command line or the input is invalid, or names something that does not exist."""
REFUSED_FILES = 3
"""At least one file was refused; the other files were loaded."""
INTERRUPTED = 130

_TABLE: dict[type[AurumError], int] = {
    Invalid: USAGE,
    NotFound: USAGE,
    Gone: USAGE,
    Conflict: UNAVAILABLE,
    Unauthenticated: UNAVAILABLE,
    Forbidden: UNAVAILABLE,
    RateLimited: UNAVAILABLE,
    Unavailable: UNAVAILABLE,
}


def exit_code(error: AurumError) -> int:
    """Return the exit code of the nearest base class of an error."""
    return next((_TABLE[base] for base in type(error).__mro__ if base in _TABLE), UNAVAILABLE)
