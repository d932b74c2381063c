"""pytest plugin: modules with long tests begin first, so that no process waits for one of them at the end of a run.

Without it pytest-xdist begins with the modules that have the most tests, and a module with one test of minutes comes last.
``make test`` passes ``--no-loadscope-reorder``, which keeps the order that this gives.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order modules by the longest time limit that a test states, then by the number of tests. Tests stay in their order."""
    modules: defaultdict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        modules[item.path].append(item)
    items[:] = [item for module in sorted(modules.values(), key=_place) for item in module]


def _place(module: list[pytest.Item]) -> tuple[float, int]:
    """Return the sort key of a module: the longest stated limit first, then the most tests."""
    stated = [mark.args[0] for item in module for mark in item.iter_markers("timeout") if mark.args]
    return -max(stated, default=0.0), -len(module)
