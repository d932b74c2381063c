"""Which Java this machine has."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from aurum.storage.embedded.users import EmbeddedServerFailed

_PLACES = Path("/usr/lib/jvm")
_MAJOR = re.compile(r'version "(\d+)')
_SLOW_START_S = 30.0


def java(at_least: int, environment: Mapping[str, str]) -> Path:
    """A ``java`` of that version or newer: of ``JAVA_HOME``, on the path, else where Linux keeps them.

    Raises ``EmbeddedServerFailed`` that says which were found.
    """
    found: list[str] = []
    for program in _candidates(environment):
        major = _major(program)
        if major >= at_least:
            return program
        found.append(f"{program} is {major or 'none'}")
    raise EmbeddedServerFailed(f"needs Java {at_least} or newer: {'; '.join(found) or 'none was found'}")


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    if home := environment.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    if _PLACES.is_dir():
        yield from sorted((folder / "bin" / "java" for folder in _PLACES.iterdir()), reverse=True)


def _major(program: Path) -> int:
    """0 of what is no Java."""
    try:
        said = subprocess.run(  # noqa: S603 - a java that was found
            [str(program), "-version"], capture_output=True, text=True, timeout=_SLOW_START_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = _MAJOR.search(said.stderr)
    return int(match.group(1)) if match else 0
