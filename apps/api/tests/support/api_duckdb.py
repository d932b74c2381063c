"""DuckDB of the version whose HTTP extension PyPI has, in an environment of its own, as a child process that runs queries.

The environment of the project has a newer DuckDB, for which there is no such package yet; DuckDB itself would fetch its
extension from its own server.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = "1.4.4"
_ROOT = Path(__file__).parents[4]
_HOME = Path(sys.prefix) / "environments" / f"duckdb-{VERSION}"
_PACKAGES = (f"duckdb=={VERSION}", f"duckdb-ext-httpfs=={VERSION}.*")

_CHILD = """
import json, sys
from pathlib import Path
import duckdb, duckdb_ext

connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
connection.execute("SET extension_directory = ?", [str(Path(duckdb_ext.__path__[0]) / "extensions")])
connection.execute("LOAD httpfs")
print(json.dumps(duckdb.__version__), flush=True)
for line in sys.stdin:
    try:
        print(json.dumps({"rows": connection.execute(json.loads(line)).fetchall()}, default=str), flush=True)
    except duckdb.Error as error:
        print(json.dumps({"error": str(error)}), flush=True)
"""


_UNREACHABLE = re.compile(r"connect|timed? ?out|dns|name resolution|network|unreachable|request", re.IGNORECASE)


class NotInstalled(Exception):
    """The package index cannot be reached. The text says why."""


@dataclass
class DuckDb:
    """A running DuckDB."""

    _process: subprocess.Popen[str]

    def run(self, query: str) -> list[list[Any]]:
        """Return the rows of a query. Raises ``RuntimeError`` with the text of its error."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(query) + "\n")
        self._process.stdin.flush()
        answer = self.answer()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["rows"]

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "DuckDB has ended"
        return json.loads(line)


@contextmanager
def old_duckdb() -> Iterator[DuckDb]:
    """Run DuckDB for the length of the block. Raises ``NotInstalled``."""
    process = subprocess.Popen(
        [_python(), "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        running = DuckDb(process)
        assert running.answer() == VERSION
        yield running
    finally:
        process.communicate(timeout=120)


def _python() -> Path:
    """Return the Python of the environment, which is made at its first use. Raises ``NotInstalled``."""
    python, marker = _HOME / "bin" / "python", _HOME / "complete"
    if not marker.exists():
        shutil.rmtree(_HOME, ignore_errors=True)
        uv = shutil.which("uv") or _ROOT / ".uv" / "bin" / "uv"
        if Path(uv).exists():
            _run(uv, "venv", "--quiet", "--no-python-downloads", "--python", sys.executable, _HOME)
            # Without the constraints of the project, which are those of another DuckDB.
            _run(uv, "pip", "install", "--quiet", "--no-config", "--python", python, *_PACKAGES)
        else:
            _run(sys.executable, "-m", "venv", _HOME)
            _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_PACKAGES)
        marker.touch()
    return python


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode and _UNREACHABLE.search(done.stderr):
        raise NotInstalled(f"{' '.join(_PACKAGES)} could not be installed: {done.stderr.strip()[-500:]}")
    assert not done.returncode, done.stderr
