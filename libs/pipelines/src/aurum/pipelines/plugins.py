"""Sources outside Aurum: packages that name one in an entry point of the group ``aurum.sources``.

A plugin that cannot be used is refused with the reason, and everything else goes on. Its files are checked as they lie in the
folder of its package; no code of it runs but that of its modules, when they are imported.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aurum.common.plugins import InstalledPlugin, installed_plugins
from aurum.pipelines.shipped import lacking, read_shipped
from aurum.pipelines.source import Source
from aurum.storage.ports.private import PRIVATE_SOURCE

COMMANDS = frozenset({"list", "new", "unmapped"})
"""The subcommands of ``aurum sources``, which also takes the name of a source there."""
RESERVED = COMMANDS | {PRIVATE_SOURCE}
"""Names that no source may have. Keys of private series begin with the last one."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_WORD = re.compile(r"[a-z0-9][a-z0-9_]*")
_LONGEST = 40
_MOST_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class Plugin:
    """A source outside Aurum. ``package``: name and version of its package. ``folder``: that of its files (``shipped``)."""

    source: Source
    package: str
    folder: Path

    @property
    def name(self) -> str:
        return self.source.name


@dataclass(frozen=True, slots=True)
class RefusedPlugin:
    """An installed plugin that is not used. ``name``: that of its entry point. ``reason``: one line."""

    name: str
    package: str
    reason: str


class _Refused(Exception):
    """The reason for which a plugin is refused."""


def load_plugins(own: Sequence[Source]) -> tuple[tuple[Plugin, ...], tuple[RefusedPlugin, ...]]:
    """Import the installed plugins, and return those that can be used and those that are refused, both by name.

    ``own``: Aurum's own sources, whose names are in use. Of two plugins of one name the one of the first package counts.
    """
    plugins: list[Plugin] = []
    refused: list[RefusedPlugin] = []
    used = {source.name: "Aurum" for source in own}
    for installed in installed_plugins():
        try:
            plugin = _load(installed, used)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code can raise anything; the reason is shown
            refused.append(RefusedPlugin(installed.name, installed.package, _reason(error)))
            continue
        used[plugin.name] = plugin.package
        plugins.append(plugin)
    return tuple(plugins), tuple(refused)


def name_problem(name: str, used: Collection[str] = ()) -> str | None:
    """Return why a source cannot have a name; None if it can. ``used``: names of other sources."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        return (
            f"{name!r} cannot be the name of a source: write at most {_LONGEST} lower-case letters and digits, a letter first, "
            "with single underscores between words"
        )
    if name in RESERVED:
        return f"{name!r} is reserved: choose a name other than {', '.join(sorted(RESERVED))}"
    return f"the name {name!r} is in use: choose another one" if name in used else None


def problems_of(source: Source) -> Iterator[str]:
    """Yield a sentence for each name that a source declares wrongly: names of datasets and measures, words and unique."""
    names = [dataset.name for dataset in source.datasets]
    if not names:
        yield "it has no dataset"
    for name in names:
        if not _WORD.fullmatch(name):
            yield f"{name!r} cannot be the name of a dataset: write lower-case letters, digits and underscores"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"dataset {name} is declared twice"
    for dataset in source.datasets:
        if dataset.source != source.name:
            yield f"dataset {dataset.name} is declared for the source {dataset.source!r}, not for {source.name!r}"
        measures = [measure.name for measure in dataset.measures]
        for measure in measures:
            if not _WORD.fullmatch(measure):
                yield f"{measure!r} of dataset {dataset.name} cannot be the name of a measure"
        for measure in sorted({measure for measure in measures if measures.count(measure) > 1}):
            yield f"measure {measure} of dataset {dataset.name} is declared twice"


def _load(installed: InstalledPlugin, used: dict[str, str]) -> Plugin:
    name = installed.name
    if name in used:
        raise _Refused(f"the name {name!r} is in use by {used[name]}")
    if (problem := name_problem(name)) is not None:
        raise _Refused(problem)
    source = _source_of(installed)
    if source.name != name:
        raise _Refused(f"its entry point is called {name!r} and its source {source.name!r}: use one name")
    if installed.folder is None:
        raise _Refused("its package is not a folder, in which suites, pages and samples could be")
    shipped = read_shipped(installed.folder)
    problems = [*problems_of(source), *lacking(source, shipped.suites, shipped.pages, shipped.sampled)]
    if problems:
        raise _Refused("; ".join(problems))
    return Plugin(source, installed.package, installed.folder)


def _source_of(installed: InstalledPlugin) -> Source:
    value = installed.entry_point.load()
    source = value() if callable(value) else value
    if not isinstance(source, Source):
        kind = type(source).__name__
        raise _Refused(f"{installed.entry_point.value} is of type {kind}, not a Source or a function that returns one")
    return source


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())[:_MOST_CHARACTERS]
    if isinstance(error, _Refused):
        return text
    return f"it cannot be loaded: {type(error).__name__}: {text}" if text else f"it cannot be loaded: {type(error).__name__}"
