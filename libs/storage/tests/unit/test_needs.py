"""Tests are marked with the servers they need, and start no process without a marker."""

import pytest

pytest_plugins = ["pytester"]

_CONFTEST = """
import pytest

pytest_plugins = ["aurum.storage.testing.needs"]


@pytest.fixture
def postgres_server():
    return "a server"


@pytest.fixture
def store(postgres_server):
    return postgres_server
"""
_INI = """
[pytest]
addopts = --strict-markers -p no:randomly -p no:cacheprovider -p no:schemathesis
asyncio_default_fixture_loop_scope = session
markers =
    server:
    e2e:
    needs_postgres:
    needs_process:
"""
_TESTS = """
import subprocess
import sys

import pytest


def start():
    return subprocess.run([sys.executable, "-c", ""]).returncode


def test_alone(): pass
def test_with_a_store(store): pass
@pytest.mark.e2e
def test_from_end_to_end(): pass
@pytest.mark.parametrize("adapter", ["memory", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def test_of_adapters(adapter): pass
def test_unmarked(): assert start() == 0
@pytest.mark.needs_process
def test_marked(): assert start() == 0
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(_CONFTEST)
    pytester.makeini(_INI)
    pytester.makepyfile(test_some=_TESTS)
    return pytester


def selected(project: pytest.Pytester, expression: str) -> list[str]:
    done = project.inline_run("-m", expression, "--collect-only", "-qq")
    (collected,) = done.getcalls("pytest_collection_finish")
    return [item.name for item in collected.session.items]


def test_a_test_is_marked_with_the_server_of_a_fixture_it_uses_through_another(project: pytest.Pytester) -> None:
    assert selected(project, "needs_postgres") == ["test_with_a_store", "test_of_adapters[postgres]"]


def test_without_servers_are_the_tests_that_stay_in_their_own_process(project: pytest.Pytester) -> None:
    assert selected(project, "not server") == ["test_alone", "test_of_adapters[memory]", "test_unmarked"]


def test_without_servers_a_module_whose_tests_all_need_one_is_not_imported(project: pytest.Pytester) -> None:
    broken = "import pytest\npytestmark = {}\nraise RuntimeError('imported')"
    project.makepyfile(
        test_of_servers=broken.format("pytest.mark.needs_postgres"),
        test_of_processes=broken.format("[\n    pytest.mark.timeout(9),\n    pytest.mark.e2e,\n]"),
        test_slow="import pytest\npytestmark = pytest.mark.timeout(9)\ndef test_patience(): pass",
    )
    assert set(selected(project, "not server")) == {"test_alone", "test_of_adapters[memory]", "test_unmarked", "test_patience"}


@pytest.mark.needs_process
def test_a_test_without_a_marker_that_starts_a_process_fails_and_is_told_what_to_do(project: pytest.Pytester) -> None:
    done = project.runpytest_inprocess("-k", "marked")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*test_unmarked starts a process and lacks the marker `server`*"])
