"""Check that all modules of each member can be imported in an environment with only its declared dependencies.

Finds errors that a shared environment hides: an undeclared dependency, or an import of a member that is not a dependency.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MEMBERS = sorted(path.parent for path in [*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("apps/*/pyproject.toml")])

_IMPORT_ALL = """
import importlib, pkgutil, sys, warnings
warnings.simplefilter("ignore")
package = importlib.import_module(sys.argv[1])
count = 0
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if module.name.endswith((".migrations.env", ".__main__")) or ".testing" in module.name or ".versions." in module.name:
        continue
    importlib.import_module(module.name)
    count += 1
print(f"{sys.argv[1]}: {count} modules")
"""


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def with_dependencies(folder: Path) -> list[Path]:
    """Return a member and all members it depends on, with all its own extras and the required extras of the others."""
    by_name = {str(project(member)["name"]): member for member in MEMBERS}
    closure: dict[Path, None] = {}
    waiting = [(folder, set(project(folder).get("optional-dependencies", {})))]
    while waiting:
        member, extras = waiting.pop()
        closure[member] = None
        optional = project(member).get("optional-dependencies", {})
        for requirement in [*project(member)["dependencies"], *(one for extra in extras for one in optional[extra])]:
            name, _, extras_text = requirement.partition("[")
            if name in by_name:
                waiting.append((by_name[name], set(extras_text.removesuffix("]").split(",")) - {""}))
    return list(closure)


def main(uv: str) -> int:
    failed = 0
    for folder in MEMBERS:
        name = str(project(folder)["name"])
        with tempfile.TemporaryDirectory(prefix="aurum-isolated-") as temporary:
            environment = Path(temporary) / "venv"
            requirements = Path(temporary) / "requirements.txt"
            python = environment / "bin" / "python"
            subprocess.run(
                [uv, "venv", "--quiet", "--no-python-downloads", "--python", sys.executable, environment], check=True
            )
            export = [uv, "export", "--quiet", "--frozen", "--no-header", "--package", name, "--no-dev", "--no-emit-workspace"]
            # All extras, because adapters import their drivers.
            subprocess.run([*export, "--all-extras", "-o", requirements], cwd=ROOT, check=True)
            install = [uv, "pip", "install", "--quiet", "--no-config", "--python", python]
            subprocess.run([*install, "--require-hashes", "-r", requirements], check=True)
            members = [argument for member in with_dependencies(folder) for argument in ("--editable", str(member))]
            subprocess.run([*install, "--no-deps", *members], check=True)
            package = "aurum." + name.removeprefix("aurum-")
            failed += subprocess.run([python, "-c", _IMPORT_ALL, package], cwd=temporary, check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
