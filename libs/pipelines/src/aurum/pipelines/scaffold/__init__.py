"""Writes the package of a new source outside Aurum: ``aurum sources new``. The files are in ``template``."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from aurum.core.errors import Conflict, Invalid
from aurum.pipelines.plugins import name_problem

__all__ = ["FolderExists", "InvalidAddress", "InvalidName", "distribution_of", "package_of", "write_source"]

EXAMPLE_ADDRESS = "https://data.example.com"

_SUFFIX = ".template"


class InvalidName(Invalid):
    """A name that a new source cannot have. Facts: ``name``."""


class InvalidAddress(Invalid):
    """An address that is not a plain one of the Web. Facts: ``address``."""


class FolderExists(Conflict):
    """The folder of a new package exists, or cannot be made. Facts: ``folder``."""


def distribution_of(name: str) -> str:
    """Return the name of the package of a source, as it is installed, which is also that of its folder."""
    return f"aurum-source-{name.replace('_', '-')}"


def package_of(name: str) -> str:
    """Return the name by which the package of a source is imported."""
    return f"aurum_source_{name}"


def write_source(name: str, parent: Path, *, used: Collection[str] = (), address: str = EXAMPLE_ADDRESS) -> Path:
    """Write an installable package with a source to a new folder in ``parent``, and return the folder.

    ``used``: names of other sources. ``address``: where the publisher's files are. Raises ``InvalidName``, ``InvalidAddress``,
    ``FolderExists``.
    """
    if (problem := name_problem(name, used)) is not None:
        raise InvalidName(problem, name=name)
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or not _is_plain(address):
        raise InvalidAddress(
            f"{address!r} is not the address of a folder: write http:// or https://, a host and a path", address=address
        )
    folder = parent / distribution_of(name)
    words = {
        "name": name,
        "package": package_of(name),
        "distribution": distribution_of(name),
        "title": name.replace("_", " ").capitalize(),
        "address": address.rstrip("/"),
    }
    try:
        folder.mkdir(parents=True)
        for path, template in _templates(files("aurum.pipelines.scaffold").joinpath("template"), Path()):
            target = folder / str(path).replace("PACKAGE", words["package"]).replace("NAME", name).removesuffix(_SUFFIX)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(template).substitute(words), encoding="utf-8")
    except FileExistsError as error:
        raise FolderExists(f"{folder} exists: remove it, or choose another --dir", folder=str(folder)) from error
    except OSError as error:
        raise FolderExists(f"{folder} cannot be written: {error.strerror}", folder=str(folder)) from error
    return folder


def _is_plain(address: str) -> bool:
    """Return whether an address can stand between quotes in code and in a page."""
    return address.isprintable() and not set(address) & set("\"'`\\{}$ ")


def _templates(folder: Traversable, path: Path) -> Iterator[tuple[Path, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        elif entry.name.endswith(_SUFFIX):
            yield path / entry.name, entry.read_text(encoding="utf-8")
