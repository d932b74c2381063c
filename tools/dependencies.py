"""Each member's imports against its pyproject: what is not declared, what is not imported, what has no bound.

deptry looks at the first name of an import only. All members share ``aurum`` and ten packages share ``opentelemetry``, so it
would miss most of what is found here.

A dependency that no module imports is named with its reason in ``[tool.aurum.unimported]`` of the member's pyproject. What only
``testing`` modules import belongs to the extra ``testing``, where a member has one.
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
    """The folders of the workspace's members."""
    return sorted(path.parent for path in [*root.glob("libs/*/pyproject.toml"), *root.glob("apps/*/pyproject.toml")])


def imports(text: str) -> set[str]:
    """The modules that a source imports; a name taken from a module counts as a module of its own.

    >>> sorted(imports("import a.b\\nfrom c import d\\nfrom . import e\\nimportlib.import_module('f')"))
    ['a.b', 'c.d', 'f']
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found |= {f"{module}.{name.name}" for name in names}
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(module)), *_]):
                found.add(module)
            case _:
                pass
    return found


def plain(requirement: str) -> str:
    """The normalised name in a requirement.

    >>> plain("SQLAlchemy[asyncio]>=2"), plain("moka_py")
    ('sqlalchemy', 'moka-py')
    """
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]).lower()


def providers(installed: Sequence[Distribution]) -> dict[str, set[str]]:
    """For each module and package of the installed distributions, which of them have it."""
    found: dict[str, set[str]] = {}
    for distribution in installed:
        name = plain(distribution.metadata["Name"])
        for file in distribution.files or ():
            if file.suffix in {".py", ".so", ".pyd"} and ".." not in file.parts:
                parts = file.parts[:-1] if file.name == "__init__.py" else (*file.parts[:-1], file.name.split(".")[0])
                found.setdefault(".".join(parts), set()).add(name)
    return found


def owners(module: str, provided: Mapping[str, set[str]]) -> set[str]:
    """The distributions that have a module, or the nearest package above it; none for the standard library.

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
    """What a member's pyproject says. ``testing``: only its testing modules may import these."""

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
    """A line for each disagreement. ``sources``: text by path."""
    used: set[str] = set()
    for path, text in sorted(sources.items()):
        allowed = {declared.name} | declared.product | (declared.testing if TESTING in Path(path).parts else frozenset())
        for module in sorted(imports(text)):
            names = owners(module, provided)
            used |= names
            if names and not names & allowed:
                yield f"{path}: {module} is of {' or '.join(sorted(names))}, which {declared.name} does not declare"
    idle = (declared.product | declared.testing) - used
    for name in sorted(idle - declared.unimported):
        yield f"{declared.name} declares {name}, which no module imports: remove it or say why in [tool.aurum.unimported]"
    for name in sorted(declared.unimported - idle):
        yield f"{declared.name} says that {name} is not imported, and it is, or is not declared: remove it there"


def unbounded(workspace: str, pyprojects: Sequence[str]) -> Iterator[str]:
    """A line for each direct dependency without a lower bound in the workspace's ``constraint-dependencies``."""
    document = tomllib.loads(workspace)
    bounded = {plain(one) for one in document["tool"]["uv"]["constraint-dependencies"] if ">=" in one}
    direct = {plain(one) for group in document["dependency-groups"].values() for one in group}
    for one in map(Declared.of, pyprojects):
        direct |= one.product | one.testing
    for name in sorted(direct - bounded):
        if not name.startswith(f"{NAMESPACE}-"):
            yield f"{name} has no lower bound: give it one in constraint-dependencies of the root pyproject"


def main() -> int:
    provided = providers(list(distributions()))
    pyprojects = {member: (member / "pyproject.toml").read_text() for member in members(ROOT)}
    found = list(unbounded((ROOT / "pyproject.toml").read_text(), list(pyprojects.values())))
    for member, pyproject in pyprojects.items():
        sources = {str(path.relative_to(ROOT)): path.read_text() for path in (member / "src").rglob("*.py")}
        found += findings(Declared.of(pyproject), sources, provided)
    print("\n".join(found) if found else f"dependencies: {len(pyprojects)} members declare what they import")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
