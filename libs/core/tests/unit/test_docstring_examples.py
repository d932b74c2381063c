import doctest
import importlib
import pkgutil

import pytest

import aurum.core

NAMES = sorted(module.name for module in pkgutil.walk_packages(aurum.core.__path__, "aurum.core."))
PARSER = doctest.DocTestFinder()
EXAMPLES = [(f"{test.name}", test) for name in NAMES for test in PARSER.find(importlib.import_module(name)) if test.examples]


@pytest.mark.parametrize("test", [test for _, test in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_example_in_a_docstring_is_true(test: doctest.DocTest) -> None:
    assert doctest.DocTestRunner().run(test).failed == 0


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5
