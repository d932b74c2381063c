"""The registry of all sources, Aurum's own and those of plugins, which recognises the format of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import structlog

from aurum.core.errors import Invalid, UnknownName
from aurum.core.names import nearest
from aurum.pipelines.plugins import Plugin, RefusedPlugin, load_plugins
from aurum.pipelines.resemblance import why_unknown
from aurum.pipelines.shipped import EXPECTATIONS
from aurum.pipelines.source import Dataset, FileFormat, RefusedFile, Source, SourceFile
from aurum.pipelines.sources.aeso import SOURCE as AESO
from aurum.pipelines.sources.caiso import SOURCE as CAISO
from aurum.pipelines.sources.datahub import SOURCE as DATAHUB
from aurum.pipelines.sources.drought_monitor import SOURCE as DROUGHT_MONITOR
from aurum.pipelines.sources.ecb import SOURCE as ECB
from aurum.pipelines.sources.eex import SOURCE as EEX
from aurum.pipelines.sources.eia import SOURCE as EIA
from aurum.pipelines.sources.entsoe import SOURCE as ENTSOE
from aurum.pipelines.sources.eod_workbook import SOURCE as EOD_WORKBOOK
from aurum.pipelines.sources.ercot import SOURCE as ERCOT
from aurum.pipelines.sources.fred import SOURCE as FRED
from aurum.pipelines.sources.ice import SOURCE as ICE
from aurum.pipelines.sources.ieso import SOURCE as IESO
from aurum.pipelines.sources.isone import SOURCE as ISONE
from aurum.pipelines.sources.miso import SOURCE as MISO
from aurum.pipelines.sources.noaa import SOURCE as NOAA
from aurum.pipelines.sources.nyiso import SOURCE as NYISO
from aurum.pipelines.sources.nymex import SOURCE as NYMEX
from aurum.pipelines.sources.pjm import SOURCE as PJM
from aurum.pipelines.sources.simple import SOURCE as SIMPLE
from aurum.pipelines.sources.spp import SOURCE as SPP
from aurum.storage.ports.private import PRIVATE_SOURCE

_log = structlog.get_logger(__name__)

T = TypeVar("T")


class AmbiguousFormat(RefusedFile):
    """Several formats recognise one file: it holds parts of both, or a source has a mistake. Facts: ``formats``."""


class UnknownFormat(RefusedFile):
    """No format recognises a file; the reason says in one line which format it resembles and what does not fit.

    Facts: ``tried``, the names of all formats.
    """


class DuplicateName(Invalid):
    """Two sources, or two datasets of one source, have the same name. Facts: ``name``."""


class ReservedName(Invalid):
    """A source has the name that keys of private series begin with. Facts: ``name``."""


@dataclass(frozen=True, slots=True)
class _Look:
    """A file while formats look at it. ``failures``: a sentence for each failure of a plugin."""

    document: SourceFile
    failures: list[str] = field(default_factory=list[str])


class Registry:
    """An ordered, fixed list of sources: Aurum's own, then those of ``plugins``. ``refused``: plugins that are not used.

    Raises ``DuplicateName`` when two of them, or two of their datasets, share a name, and ``ReservedName``.
    """

    def __init__(self, own: Sequence[Source], plugins: Sequence[Plugin] = (), refused: Sequence[RefusedPlugin] = ()) -> None:
        self.sources = (*own, *(plugin.source for plugin in plugins))
        self.plugins: Mapping[str, Plugin] = {plugin.name: plugin for plugin in plugins}
        self.refused = tuple(refused)
        names = [source.name for source in self.sources]
        names += [f"{source.name}:{dataset.name}" for source in self.sources for dataset in source.datasets]
        if PRIVATE_SOURCE in names:
            raise ReservedName(f"{PRIVATE_SOURCE} is the source of private series", name=PRIVATE_SOURCE)
        for name in names:
            if names.count(name) > 1:
                raise DuplicateName(f"{name} is declared twice", name=name)

    def source(self, name: str) -> Source:
        """Return the source of that name. Raises ``UnknownName``."""
        by_name = {source.name: source for source in self.sources}
        if name not in by_name:
            raise UnknownName("source", name, nearest(name, by_name) or tuple(by_name))
        return by_name[name]

    def dataset(self, source: str, name: str) -> Dataset:
        """Return the dataset of a source. Raises ``UnknownName``."""
        by_name = {dataset.name: dataset for dataset in self.source(source).datasets}
        if name not in by_name:
            raise UnknownName(f"dataset of {source}", name, nearest(name, by_name) or tuple(by_name))
        return by_name[name]

    @property
    def suites_of_plugins(self) -> Mapping[str, Path]:
        """The folders of the expectation suites of plugins, by source."""
        return {name: plugin.folder / EXPECTATIONS for name, plugin in self.plugins.items()}

    def recognise(self, document: SourceFile) -> tuple[Source, FileFormat]:
        """Return the one format that recognises a file, with its source.

        Raises ``RefusedFile`` for an empty file or one of another encoding, ``UnknownFormat`` and ``AmbiguousFormat``.
        """
        if document.is_unmarked_utf16:
            raise RefusedFile("the text is UTF-16 without a byte order mark: save it as UTF-8")
        seen = _Look(document)
        formats = [(source, file_format) for source in self.sources for file_format in source.formats]
        claims = [one for one in formats if self._look(*one, one[1].recognise, otherwise=False, seen=seen)]
        if len(claims) == 1:
            return claims[0]
        if claims:
            names = [file_format.name for _, file_format in claims]
            raise AmbiguousFormat(f"{document.name} is recognised by several formats: {', '.join(names)}", formats=names)
        if not document.content.strip():
            raise RefusedFile("the file is empty")
        explained = [self._look(*one, one[1].explain, otherwise="", seen=seen) for one in formats]
        reasons = dict.fromkeys(filter(None, explained))
        fullest = [reason for reason in reasons if not any(reason in other for other in reasons if other != reason)]
        known = [file_format for _, file_format in formats]
        why = "; ".join(fullest) or why_unknown(document, known)
        tried = [file_format.name for file_format in known]
        raise UnknownFormat("; ".join([why, *dict.fromkeys(seen.failures)]), tried=tried)

    def _look(self, source: Source, file_format: FileFormat, look: Callable[[SourceFile], T], otherwise: T, seen: _Look) -> T:
        """Return what a format says of a file; ``otherwise`` when the code of a plugin fails, so that other sources still can.

        The failure is logged and added to ``seen``. Raises the error of a source of Aurum, which is a bug.
        """
        try:
            return look(seen.document)
        except Exception as error:
            plugin = self.plugins.get(source.name)
            if plugin is None:
                raise
            seen.failures.append(f"the plugin {source.name} failed to look at it: {type(error).__name__}: {error}")
            _log.warning(
                "plugin_failed_to_look_at_a_file",
                source=source.name,
                package=plugin.package,
                format=file_format.name,
                file=seen.document.name,
                exc_info=error,
            )
            return otherwise


def own_registry() -> Registry:
    """Return the registry of the sources that Aurum ships, in the order in which they are listed."""
    markets = [PJM, ISONE, NYISO, CAISO, ERCOT, MISO, SPP, AESO, IESO, ENTSOE]
    return Registry([*markets, EIA, FRED, ECB, DATAHUB, DROUGHT_MONITOR, NOAA, EEX, NYMEX, ICE, EOD_WORKBOOK, SIMPLE])


def default_registry() -> Registry:
    """Return the registry of every source: those that Aurum ships, then those of installed plugins by name.

    It imports the plugins. Those that cannot be used are in ``refused`` with the reason, and are not logged here.
    """
    own = own_registry().sources
    return Registry(own, *load_plugins(own))


def logged_registry() -> Registry:
    """Return ``default_registry()``, and log each plugin that is refused: for a process that loads files, once."""
    registry = default_registry()
    for plugin in registry.refused:
        _log.warning("plugin_refused", source=plugin.name, package=plugin.package, reason=plugin.reason)
    return registry
