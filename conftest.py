"""Fixtures of real servers for every member's tests."""

pytest_plugins = ["aurum.storage.testing.plugin"]
