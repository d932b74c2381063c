"""Check of each member's dependencies: undeclared imports, unused declarations, dependencies without a lower bound.

deptry considers only the first name of an import. All members share ``aurum``, and ten packages share ``opentelemetry``, so it
would miss most of these errors.

A dependency that no module imports is listed with its reason in ``[tool.aurum.unimported]`` of the member's pyproject.
A dependency that only ``testing`` modules import belongs in the extra ``testing``, if the member has one.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMESPACE = "aurum"
TESTING = "testing"


def members(root: Path) -> list[Path]:
    """Return the folders of the workspace's members."""
    return sorted(path.parent for path in [*root.glob("libs/*/pyproject.toml"), *root.glob("apps/*/pyproject.toml")])


def imports(text: str) -> set[str]:
    """Return the modules that a source imports; a name imported from a module counts as a module.

    >>> sorted(imports("import a.b\\nfrom c import d\\nfrom . import e\\nimportlib.import_module('f')"))
    ['a.b', 'c.d', 'f']
    """
    modules: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                modules |= {name.name for name in names}
            case ast.ImportFrom(module=str(module), names=names, level=0):
                modules |= {f"{module}.{name.name}" for name in names}
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(module)), *_]):
                modules.add(module)
            case _:
                pass
    return modules


def plain(requirement: str) -> str:
    """Return the normalised name in a requirement.

    >>> plain("SQLAlchemy[asyncio]>=2"), plain("moka_py")
    ('sqlalchemy', 'moka-py')
    """
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]).lower()


def providers(installed: Sequence[Distribution]) -> dict[str, set[str]]:
    """Return for each installed module and package the names of the distributions that contain it."""
    by_module: dict[str, set[str]] = {}
    for distribution in installed:
        name = plain(distribution.metadata["Name"])
        for file in distribution.files or ():
            if file.suffix in {".py", ".so", ".pyd"} and ".." not in file.parts:
                parts = file.parts[:-1] if file.name == "__init__.py" else (*file.parts[:-1], file.name.split(".")[0])
                by_module.setdefault(".".join(parts), set()).add(name)
    return by_module


def owners(module: str, provided: Mapping[str, set[str]]) -> set[str]:
    """Return the distributions that contain a module or its nearest parent package; none for the standard library.

    >>> owners("a.b.c", {"a.b": {"a-b"}, "a.d": {"a-d"}}), owners("aurum.core.asof", {}), owners("os.path", {})
    ({'a-b'}, {'aurum-core'}, set())
    """
    parts = module.split(".")
    if parts[0] in sys.stdlib_module_names:
        return set()
    if parts[0] == NAMESPACE:
        return {f"{NAMESPACE}-{parts[1]}"} if len(parts) > 1 else set()
    for length in range(len(parts), 0, -1):
        if (names := provided.get(".".join(parts[:length]))) is not None:
            return names
    return {parts[0]}


@dataclass(frozen=True, slots=True)
class Declared:
    """The dependencies in a member's pyproject. ``testing``: only its testing modules may import these."""

    name: str
    product: frozenset[str]
    testing: frozenset[str]
    unimported: frozenset[str]

    @classmethod
    def of(cls, pyproject: str) -> Declared:
        document = tomllib.loads(pyproject)
        project = document["project"]
        extras = dict(project.get("optional-dependencies", {}))
        testing = frozenset(map(plain, extras.pop(TESTING, ())))
        product = frozenset(map(plain, [*project["dependencies"], *(one for extra in extras.values() for one in extra)]))
        unimported = document.get("tool", {}).get(NAMESPACE, {}).get("unimported", {})
        return cls(plain(project["name"]), product, testing - product, frozenset(map(plain, unimported)))


def findings(declared: Declared, sources: Mapping[str, str], provided: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield a line for each error. ``sources``: source text by path."""
    used: set[str] = set()
    for path, text in sorted(sources.items()):
        allowed = {declared.name} | declared.product | (declared.testing if TESTING in Path(path).parts else frozenset())
        for module in sorted(imports(text)):
            names = owners(module, provided)
            used |= names
            if names and not names & allowed:
                yield f"{path}: {module} belongs to {' or '.join(sorted(names))}, which {declared.name} does not declare"
    unused = (declared.product | declared.testing) - used
    for name in sorted(unused - declared.unimported):
        yield f"{declared.name} declares {name}, which no module imports: remove it or give a reason in [tool.aurum.unimported]"
    for name in sorted(declared.unimported - unused):
        yield f"{declared.name} lists {name} in [tool.aurum.unimported], but it is imported or not declared: remove it there"


def unbounded(workspace: str, pyprojects: Sequence[str]) -> Iterator[str]:
    """Yield a line for each direct dependency without a lower bound in the workspace's ``constraint-dependencies``."""
    document = tomllib.loads(workspace)
    bounded = {plain(one) for one in document["tool"]["uv"]["constraint-dependencies"] if ">=" in one}
    direct = {plain(one) for group in document["dependency-groups"].values() for one in group}
    for one in map(Declared.of, pyprojects):
        direct |= one.product | one.testing
    for name in sorted(direct - bounded):
        if not name.startswith(f"{NAMESPACE}-"):
            yield f"{name} has no lower bound: add one to constraint-dependencies of the root pyproject"


def main() -> int:
    provided = providers(list(distributions()))
    pyprojects = {member: (member / "pyproject.toml").read_text() for member in members(ROOT)}
    lines = list(unbounded((ROOT / "pyproject.toml").read_text(), list(pyprojects.values())))
    for member, pyproject in pyprojects.items():
        sources = {str(path.relative_to(ROOT)): path.read_text() for path in (member / "src").rglob("*.py")}
        lines += findings(Declared.of(pyproject), sources, provided)
    print("\n".join(lines) if lines else f"dependencies: {len(pyprojects)} members declare what they import")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
