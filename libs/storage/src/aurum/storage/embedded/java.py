"""The search for a Java on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from aurum.storage.embedded.users import EmbeddedServerFailed

_JVM_FOLDER = Path("/usr/lib/jvm")
_MAJOR = re.compile(r'version "(\d+)')
_SLOW_START_S = 30.0


def java(at_least: int, environment: Mapping[str, str]) -> Path:
    """Return a ``java`` of a version or newer: from ``JAVA_HOME``, from ``PATH``, else from the folder of Linux packages.

    Raises ``EmbeddedServerFailed``, whose text names those that were tried.
    """
    too_old: list[str] = []
    for program in _candidates(environment):
        major = _major(program)
        if major >= at_least:
            return program
        too_old.append(f"{program} is {major or 'not a Java'}")
    tried = "; ".join(too_old) or "none was found"
    raise EmbeddedServerFailed(f"the embedded Trino needs Java {at_least} or newer ({tried}): install one, or set JAVA_HOME")


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    if home := environment.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    if _JVM_FOLDER.is_dir():
        yield from sorted((folder / "bin" / "java" for folder in _JVM_FOLDER.iterdir()), reverse=True)


def _major(program: Path) -> int:
    """Return the major version of a ``java``; 0 for any other program."""
    try:
        finished = subprocess.run(  # noqa: S603 - a java of this machine
            [str(program), "-version"], capture_output=True, text=True, timeout=_SLOW_START_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = _MAJOR.search(finished.stderr)
    return int(match.group(1)) if match else 0
