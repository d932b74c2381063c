"""Fixtures of real servers, and how Hypothesis searches, for every member's tests."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["aurum.storage.testing.plugin"]

# How long one example takes says nothing on a shared machine.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
# `make test` decides by code alone: the same examples in every run. What a search finds is pinned with @example.
settings.register_profile("gate", settings.get_profile("unhurried"), derandomize=True)
# `make test-explore` searches. Tests take a share of max_examples, so that this reaches those that say how many.
settings.register_profile("explore", settings.get_profile("unhurried"), max_examples=1000)
settings.load_profile("gate")


def pytest_report_header() -> str:
    return f"hypothesis profile: {settings.get_current_profile_name()}"
