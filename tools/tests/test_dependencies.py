"""The check of dependencies: the errors it finds, and the declarations it accepts."""

import doctest
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

PYPROJECT = """
[project]
name = "aurum-storage"
dependencies = ["aurum-core", "SQLAlchemy[asyncio]", "tzdata"]
[project.optional-dependencies]
trino = ["trino"]
testing = ["pytest"]
[tool.aurum.unimported]
tzdata = "zones"
"""
SOURCES = {
    "storage/catalog.py": "import os, aurum.core.asof\nfrom aurum.storage import ports\nfrom sqlalchemy.ext import asyncio",
    "storage/trino/pool.py": "import trino",
    "storage/testing/plugin.py": "import pytest",
}
PROVIDED = {
    "sqlalchemy": {"sqlalchemy"},
    "trino": {"trino"},
    "pytest": {"pytest"},
    "opentelemetry.sdk": {"opentelemetry-sdk"},
    "requests": {"requests"},
}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = Path(__file__).parents[1] / "dependencies.py"
    spec = importlib.util.spec_from_file_location("dependencies", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def errors(tool: ModuleType, pyproject: str = PYPROJECT, **sources: str) -> list[str]:
    return list(tool.findings(tool.Declared.of(pyproject), {**SOURCES, **sources}, PROVIDED))


def test_the_examples_hold(tool: ModuleType) -> None:
    results = doctest.testmod(tool)
    assert results.attempted >= 3
    assert results.failed == 0


def test_a_member_that_declares_what_it_imports_passes(tool: ModuleType) -> None:
    assert errors(tool) == []


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("import requests", "requests"),
        ("from opentelemetry.sdk.trace import TracerProvider", "opentelemetry-sdk"),
        ("from aurum.common.settings import Settings", "aurum-common"),
        ("import importlib\nimportlib.import_module('requests.adapters')", "requests"),
        ("import pytest", "pytest"),
        ("import nowhere", "nowhere"),
    ],
)
def test_an_import_that_is_not_declared_is_errors(tool: ModuleType, text: str, owner: str) -> None:
    (line,) = errors(tool, other=text)
    assert f"belongs to {owner}, which aurum-storage does not declare" in line


def test_a_declaration_that_no_module_imports_is_errors(tool: ModuleType) -> None:
    (line,) = errors(tool, PYPROJECT.replace('"tzdata"]', '"tzdata", "requests"]'))
    assert line.startswith("aurum-storage declares requests, which no module imports")


def test_an_exception_without_need_is_errors(tool: ModuleType) -> None:
    (line,) = errors(tool, other="import tzdata")
    assert line.startswith("aurum-storage lists tzdata in [tool.aurum.unimported]")


def test_a_dependency_without_a_lower_bound_is_errors(tool: ModuleType) -> None:
    bounds = ["sqlalchemy>=2", "trino<1", "pytest>=9", "tzdata>=2026"]
    workspace = f"[dependency-groups]\ndev = ['ruff']\n[tool.uv]\nconstraint-dependencies = {bounds}"
    assert [line.split()[0] for line in tool.unbounded(workspace, [PYPROJECT])] == ["ruff", "trino"]
