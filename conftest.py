"""Fixtures of real servers and profiles of Hypothesis, for the tests of every member."""

import gc
import sys
from collections.abc import Generator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

pytest_plugins = [
    "aurum.storage.testing.needs",
    "aurum.storage.testing.order",
    "aurum.storage.testing.patience",
    "aurum.storage.testing.plugin",
]

# Modules and tests stay alive, and searching them again and again for garbage took a quarter of the time of imports.
gc.set_threshold(100_000, 50, 1000)

# Tests configure logging for themselves, and `capture_logs` hears only loggers that look the configuration up. One that the
# configuration of an earlier test had cached would write past it.
_configure = structlog.configure


def _without_cache(*arguments: Any, **configuration: Any) -> None:
    _configure(*arguments, **configuration | {"cache_logger_on_first_use": False})


structlog.configure = _without_cache

# Tests that configure no logging have its lines on standard error, as the product has: on standard output, where structlog
# prints them by default, the line of a slow query stood in the JSON of a command.
structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))

# The duration of one example means nothing on a shared machine.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
# `make test` uses the same examples in every run. Counterexamples of a search are pinned with @example.
settings.register_profile("gate", settings.get_profile("unhurried"), derandomize=True)
# `make test-explore` searches. Tests that set max_examples take a share of this number.
settings.register_profile("explore", settings.get_profile("unhurried"), max_examples=1000)
# `-m "not server"` is run after every change: an eighth of the examples.
settings.register_profile("quick", settings.get_profile("gate"), max_examples=12)
settings.load_profile("gate")


def pytest_configure(config: pytest.Config) -> None:
    if "not server" in config.getoption("markexpr") and not config.getoption("--hypothesis-profile"):
        settings.load_profile("quick")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without searching for garbage: modules and tests live until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_report_header() -> str:
    return f"hypothesis profile: {settings.get_current_profile_name()}"
