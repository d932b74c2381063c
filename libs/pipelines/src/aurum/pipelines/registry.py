"""The registry of all sources, which recognises the format of a file."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.errors import Invalid, UnknownName
from aurum.core.names import nearest
from aurum.pipelines.resemblance import why_unknown
from aurum.pipelines.source import FileFormat, RefusedFile, Source, SourceFile
from aurum.pipelines.sources.aeso import SOURCE as AESO
from aurum.pipelines.sources.caiso import SOURCE as CAISO
from aurum.pipelines.sources.datahub import SOURCE as DATAHUB
from aurum.pipelines.sources.drought_monitor import SOURCE as DROUGHT_MONITOR
from aurum.pipelines.sources.ecb import SOURCE as ECB
from aurum.pipelines.sources.eia import SOURCE as EIA
from aurum.pipelines.sources.entsoe import SOURCE as ENTSOE
from aurum.pipelines.sources.ercot import SOURCE as ERCOT
from aurum.pipelines.sources.fred import SOURCE as FRED
from aurum.pipelines.sources.ieso import SOURCE as IESO
from aurum.pipelines.sources.isone import SOURCE as ISONE
from aurum.pipelines.sources.miso import SOURCE as MISO
from aurum.pipelines.sources.noaa import SOURCE as NOAA
from aurum.pipelines.sources.nyiso import SOURCE as NYISO
from aurum.pipelines.sources.pjm import SOURCE as PJM
from aurum.pipelines.sources.spp import SOURCE as SPP


class AmbiguousFormat(RefusedFile):
    """Several formats recognise one file: it holds parts of both, or a source has a mistake. Facts: ``formats``."""


class UnknownFormat(RefusedFile):
    """No format recognises a file; the reason says in one line which format it resembles and what does not fit.

    Facts: ``tried``, the names of all formats.
    """


class DuplicateName(Invalid):
    """Two sources, or two datasets of one source, have the same name. Facts: ``name``."""


class Registry:
    """An ordered, fixed list of sources. Raises ``DuplicateName`` when two of them, or two of their datasets, share a name."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)
        names = [source.name for source in self.sources]
        names += [f"{source.name}:{dataset.name}" for source in self.sources for dataset in source.datasets]
        for name in names:
            if names.count(name) > 1:
                raise DuplicateName(f"{name} is declared twice", name=name)

    def source(self, name: str) -> Source:
        """Return the source of that name. Raises ``UnknownName``."""
        by_name = {source.name: source for source in self.sources}
        if name not in by_name:
            raise UnknownName("source", name, nearest(name, by_name) or tuple(by_name))
        return by_name[name]

    def recognise(self, document: SourceFile) -> tuple[Source, FileFormat]:
        """Return the one format that recognises a file, with its source.

        Raises ``RefusedFile`` for an empty file or one of another encoding, ``UnknownFormat`` and ``AmbiguousFormat``.
        """
        if document.is_unmarked_utf16:
            raise RefusedFile("the text is UTF-16 without a byte order mark: save it as UTF-8")
        claims = [
            (source, file_format)
            for source in self.sources
            for file_format in source.formats
            if file_format.recognise(document)
        ]
        if len(claims) == 1:
            return claims[0]
        if claims:
            formats = [file_format.name for _, file_format in claims]
            raise AmbiguousFormat(f"{document.name} is recognised by several formats: {', '.join(formats)}", formats=formats)
        if not document.content.strip():
            raise RefusedFile("the file is empty")
        formats = [file_format for source in self.sources for file_format in source.formats]
        tried = [file_format.name for file_format in formats]
        reasons = dict.fromkeys(reason for file_format in formats if (reason := file_format.explain(document)))
        fullest = [reason for reason in reasons if not any(reason in other for other in reasons if other != reason)]
        raise UnknownFormat("; ".join(fullest) or why_unknown(document, formats), tried=tried)


def default_registry() -> Registry:
    """Return the registry of every source Aurum ships, in the order in which they are listed."""
    return Registry(
        [PJM, ISONE, NYISO, CAISO, ERCOT, MISO, SPP, AESO, IESO, ENTSOE, EIA, FRED, ECB, DATAHUB, DROUGHT_MONITOR, NOAA]
    )
