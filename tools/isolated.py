"""Each member in an environment of its own, with what it declares and nothing else: every module must import.

Finds what a shared environment hides: a dependency that a member uses and does not declare, an import of a member it may
not see.
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


def below(folder: Path) -> list[Path]:
    """A member and every member it stands on: with all its own extras, and those of the others that are required."""
    by_name = {str(project(member)["name"]): member for member in MEMBERS}
    found: dict[Path, None] = {}
    waiting = [(folder, set(project(folder).get("optional-dependencies", {})))]
    while waiting:
        member, extras = waiting.pop()
        found[member] = None
        optional = project(member).get("optional-dependencies", {})
        for requirement in [*project(member)["dependencies"], *(one for extra in extras for one in optional[extra])]:
            name, _, theirs = requirement.partition("[")
            if name in by_name:
                waiting.append((by_name[name], set(theirs.removesuffix("]").split(",")) - {""}))
    return list(found)


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
            # Adapters import the drivers of their extras.
            subprocess.run([*export, "--all-extras", "-o", requirements], cwd=ROOT, check=True)
            install = [uv, "pip", "install", "--quiet", "--no-config", "--python", python]
            subprocess.run([*install, "--require-hashes", "-r", requirements], check=True)
            members = [argument for member in below(folder) for argument in ("--editable", str(member))]
            subprocess.run([*install, "--no-deps", *members], check=True)
            package = "aurum." + name.removeprefix("aurum-")
            failed += subprocess.run([python, "-c", _IMPORT_ALL, package], cwd=temporary, check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
