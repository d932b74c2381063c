"""pytest plugin: marks each test with the servers it needs, and lets no test without the mark start a process.

A test that uses ``postgres_server``, directly or through another fixture, gets the marker ``needs_postgres``. Every
``needs_...``, and ``e2e``, implies ``server``: ``-m "not server"`` selects the quick tests, which stay within their own process
and read no publisher's files. That run does not even import modules whose ``pytestmark`` says that all of their tests need one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

_FIXTURES: Final = {
    "postgres_server": "needs_postgres",
    "timescale_server": "needs_timescale",
    "apache_timescale_url": "needs_timescale",
    "unloaded_timescale_url": "needs_timescale",
    "redis_server": "needs_redis",
    "clickhouse_engine": "needs_clickhouse",
    "trino_server": "needs_trino",
    "real_files": "needs_real_files",
}
"""The fixtures that start or look for what is not always there, and the marker of the tests that use them."""

_MODULE_MARKS: Final = re.compile(r"^pytestmark = .*(?:\n[ \])].*)*", re.MULTILINE)
"""The statement that marks every test of a module, as the formatter lays it out."""
_IMPLIES_SERVER: Final = re.compile(r"\bpytest\.mark\.(?:server|e2e|needs_\w+)\b")

_STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})
"""Audit events of a process that starts."""


def pytest_configure(config: pytest.Config) -> None:
    """Watch for processes that start."""
    guard = _Guard()
    config.pluginmanager.register(guard, "aurum-process-guard")
    sys.addaudithook(guard.audit)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules that only have tests with the marker ``server``, if those are deselected.

    Importing such modules and collecting their tests would take a fifth of the time of collection.
    """
    if config.getoption("markexpr") != "not server" or not collection_path.match("test_*.py"):
        return None
    marks = _MODULE_MARKS.search(collection_path.read_text(encoding="utf-8"))
    return True if marks and _IMPLIES_SERVER.search(marks[0]) else None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Add the markers of the fixtures that a test uses, and what they imply."""
    names: set[str] = {mark.name for mark in item.iter_markers()}
    for fixture, marker in _FIXTURES.items():
        if marker not in names and fixture in getattr(item, "fixturenames", ()):
            item.add_marker(marker)
            names.add(marker)
    if "e2e" in names or any(name.startswith("needs_") for name in names):
        item.add_marker("server")


class _Guard:
    """Refuses a process that starts while a test without the marker ``server`` is set up or runs."""

    def __init__(self) -> None:
        self._refusing: str | None = None

    def audit(self, event: str, _arguments: tuple[object, ...]) -> None:
        if event in _STARTS and self._refusing is not None:
            raise AssertionError(
                f"{self._refusing} starts a process and lacks the marker `server`: "
                "use a fixture of aurum.storage.testing.plugin, or mark the test with what it needs (CONTRIBUTING.md, Tests)"
            )

    # Not in teardown: the last test of a run stops the servers of those before it.
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from self._refuse(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from self._refuse(item))

    def _refuse(self, item: pytest.Item) -> Generator[None, object, object]:
        self._refusing = None if item.get_closest_marker("server") else item.nodeid
        try:
            return (yield)
        finally:
            self._refusing = None
