"""Every setting has a test that sets its variable and shows its effect."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from aurum.common.settings import Settings

HERE = Path(__file__).parent


def leaves(model: type[BaseModel], prefix: str = "AURUM_") -> Iterator[str]:
    """Yield the environment variable of each setting that is not a group."""
    for name, field in model.model_fields.items():
        variable = prefix + (field.alias or name).upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, variable + "__")
        else:
            yield variable


def shown() -> Iterator[str]:
    """Yield the variables in the marks ``shows(...)`` of the modules in this folder."""
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "shows":
                yield from (keyword.arg for keyword in node.keywords if keyword.arg is not None)


def test_every_setting_has_a_test_that_shows_its_effect() -> None:
    assert sorted(set(leaves(Settings)) - set(shown())) == []


def test_every_shown_variable_is_a_setting() -> None:
    assert set(shown()) <= set(leaves(Settings))


def test_no_test_shows_a_setting_twice() -> None:
    assert {name: count for name, count in Counter(shown()).items() if count > 1} == {}
