"""The release of this package, which is stored with every file that its parsers read."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version


@cache
def release() -> str:
    """Return the release, such as ``0.1.0``."""
    return version("aurum-pipelines")
