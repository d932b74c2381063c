"""Installed packages that extend Aurum through entry points, and the folders of their files. None of them is imported here."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

SOURCES = "aurum.sources"
"""The group of entry points that name sources."""


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """An entry point of an installed package.

    ``package``: its name and version, ``aurum-source-example 0.1.0``. ``folder``: that of the module which the entry point
    names, where its other files are; None when there is no such folder.
    """

    entry_point: EntryPoint
    package: str
    folder: Path | None

    @property
    def name(self) -> str:
        return self.entry_point.name


def installed_plugins(group: str = SOURCES) -> tuple[InstalledPlugin, ...]:
    """Return the plugins of a group that are installed for this interpreter, by name and package."""
    points = [
        InstalledPlugin(
            point,
            f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unnamed package",
            _folder_of(point.module),
        )
        for point in entry_points(group=group)
    ]
    return tuple(sorted(points, key=lambda plugin: (plugin.name, plugin.package)))


def _folder_of(module: str) -> Path | None:
    """Return the folder of a module. Only finders look for it: to import a part of its package could run anything."""
    first, *others = module.split(".")
    try:
        spec: ModuleSpec | None = importlib.util.find_spec(first)
    except (ImportError, ValueError):
        return None
    name = first
    for part in others:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    if spec is None:
        return None
    if spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations)))
    else:
        folder = Path(spec.origin).parent if spec.origin else None
    return folder if folder is not None and folder.is_dir() else None
