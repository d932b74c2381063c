"""Components get the settings of the process: none makes its own with defaults, which would ignore the environment."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALLOWED = {
    ("apps/api/src/aurum/api/main.py", "Settings()"),  # the OpenAPI document is the same on every machine
}


def own_settings(path: Path) -> Iterator[str]:
    """Yield the calls of a module that make settings without a value: ``ResilienceSettings()``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or node.args or node.keywords:
            continue
        if isinstance(node.func, ast.Name) and node.func.id.endswith("Settings"):
            yield f"{node.func.id}()"


def test_no_component_makes_settings_of_its_own() -> None:
    modules = [path for folder in ("apps", "libs") for path in ROOT.glob(f"{folder}/*/src/**/*.py")]
    assert len(modules) > 200
    made = {
        (str(path.relative_to(ROOT)), call)
        for path in modules
        if "testing" not in path.parts and path.parent.name != "settings"
        for call in own_settings(path)
    }
    assert made == ALLOWED


def test_no_parameter_has_settings_as_its_default() -> None:
    for folder in ("apps", "libs"):
        for path in ROOT.glob(f"{folder}/*/src/**/*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    defaults = [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
                    assert not any("Settings" in ast.unparse(default) for default in defaults), (path, node.name)
