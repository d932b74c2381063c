"""Every failure of the taxonomy has a status, a type and a page."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import aurum.api
import aurum.core
import aurum.storage.postgres
from aurum.api.http.problems import ALL_KINDS, KINDS, NotAcceptable, kind_of
from aurum.common.contracts import contracts_directory
from aurum.core.errors import AurumError, Unavailable, UnknownName


def all_errors() -> list[type[AurumError]]:
    """Every subclass there is, once every module that could declare one is imported."""
    for package in (aurum.core, aurum.api, aurum.storage.postgres):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return sorted(set(below(AurumError)), key=lambda error: error.__name__)


def below(error: type[AurumError]) -> Iterator[type[AurumError]]:
    for subclass in error.__subclasses__():
        yield subclass
        yield from below(subclass)


def test_every_error_has_a_status() -> None:
    errors = all_errors()
    assert len(errors) > 15
    for error in errors:
        instance = error.__new__(error)
        assert 400 <= kind_of(instance).status < 600, error


def test_every_problem_type_has_a_page_that_tells_its_status_and_what_to_do() -> None:
    for kind in ALL_KINDS:
        page = (contracts_directory(None) / "problems" / f"{kind.name}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {kind.title}\n")
        assert f"**Status {kind.status}.**" in page
        assert "**What to do.**" in page


def test_no_page_is_left_of_a_problem_that_is_gone() -> None:
    pages = {path.stem for path in (contracts_directory(None) / "problems").glob("*.md")}
    assert pages == {kind.name for kind in ALL_KINDS}


@pytest.mark.parametrize(
    ("error", "status"),
    [(UnknownName("series", "x"), 404), (Unavailable("x"), 503), (NotAcceptable("x"), 406)],
)
def test_the_nearest_base_decides(error: AurumError, status: int) -> None:
    assert kind_of(error).status == status


def test_no_two_problems_share_a_type() -> None:
    names = [kind.name for kind in ALL_KINDS]
    assert len(names) == len(set(names)) >= len(KINDS)
