"""Modules with long tests begin first."""

import pytest

pytest_plugins = ["pytester"]

_INI = """
[pytest]
addopts = -p no:randomly -p no:cacheprovider -p no:schemathesis -p aurum.storage.testing.order
asyncio_default_fixture_loop_scope = session
"""


def test_modules_with_long_tests_come_first_and_then_those_with_the_most_tests(pytester: pytest.Pytester) -> None:
    pytester.makeini(_INI)
    pytester.makepyfile(
        test_a="def test_one(): pass",
        test_b="def test_one(): pass\ndef test_two(): pass",
        test_c="import pytest\ndef test_short(): pass\n@pytest.mark.timeout(900)\ndef test_long(): pass",
        test_d="import pytest\npytestmark = pytest.mark.timeout(1800)\ndef test_longest(): pass",
    )
    listed = pytester.runpytest_inprocess("--collect-only", "-q").outlines
    assert [line for line in listed if "::" in line] == [
        "test_d.py::test_longest",
        "test_c.py::test_short",
        "test_c.py::test_long",
        "test_b.py::test_one",
        "test_b.py::test_two",
        "test_a.py::test_one",
    ]
