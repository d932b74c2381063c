"""The public names of each package are those that its ``__init__`` lists."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest

import aurum.core


def modules() -> Iterator[str]:
    yield "aurum.core"
    for module in pkgutil.walk_packages(aurum.core.__path__, "aurum.core."):
        yield module.name


FACES = [name for name in modules() if hasattr(importlib.import_module(name), "__all__")]


def public_names(module: ModuleType) -> list[str]:
    """Return all names of a package except private ones and its own modules."""
    return sorted(
        name for name, value in vars(module).items() if not name.startswith("_") and not isinstance(value, ModuleType)
    )


def test_packages_with_something_to_import_have_a_face() -> None:
    assert {"calendars", "catalog", "markettime", "units"} <= {name.rpartition(".")[2] for name in FACES}


@pytest.mark.parametrize("name", FACES)
def test_a_face_lists_each_of_its_public_names_once(name: str) -> None:
    module = importlib.import_module(name)
    # Their order is the linter's affair (RUF022).
    assert sorted(module.__all__) == public_names(module)


@pytest.mark.parametrize("name", FACES)
def test_what_a_face_shows_lives_in_its_own_package(name: str) -> None:
    module = importlib.import_module(name)
    homes = {vars(module)[public].__module__ for public in module.__all__ if hasattr(vars(module)[public], "__module__")}
    assert all(home.startswith(f"{name}.") or home.partition(".")[0] != "aurum" for home in homes)


@pytest.mark.parametrize("name", sorted(modules()))
def test_every_module_says_what_it_holds(name: str) -> None:
    assert (importlib.import_module(name).__doc__ or "").strip()
