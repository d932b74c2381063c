"""Reads files in child processes: workbooks and XML to checked rows, archives to their members.

Native code reads these, and a hostile file can make it abort its process or use up the memory. This module has both sides:
``IsolatedFiles`` for the process that loads files, ``child_work`` for the fork server.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import polars as pl
from pydantic import TypeAdapter

from aurum.common.settings.files import FilesSettings
from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.frames import FrameMismatch
from aurum.core.lineage import FileToSearch, Place, PlaceState
from aurum.pipelines.isolation import ChildFailed, Children, Limits, Message
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.locate import locate
from aurum.pipelines.loading.prepare import Prepared, prepare
from aurum.pipelines.loading.rows import DatasetRows, rows_of
from aurum.pipelines.loading.unpacking import ArchiveBounds, Unreadable, unpack
from aurum.pipelines.loading.wire import from_message, rows_from_message, rows_to_message, to_message
from aurum.pipelines.quality.suites import Suites, read_suites
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import RefusedFile, SourceFile

DEFAULT_REGISTRY = "aurum.pipelines.registry:default_registry"

_ZIP, _OLE = b"PK", b"\xd0\xcf\x11\xe0"
_SUFFIXES = (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".xml")
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
"""Bytes that may precede the first tag: byte order marks, the zero bytes of UTF-16, white space."""
_PEEK = 65_536
_HEADER_BYTES = 64 << 20
"""Most bytes of an answer about an archive besides the content of its members."""
_POLICY = TypeAdapter(KnownAtPolicy)
_INSTANT = TypeAdapter(datetime)
_TERMS = TypeAdapter(ReadingTerms)
_BOUNDS = TypeAdapter(ArchiveBounds)
_WANTED = TypeAdapter(FileToSearch)
_PLACE = TypeAdapter(Place)


def needs_isolation(document: SourceFile) -> bool:
    """Return whether native code may read a file: a workbook or XML, by its first bytes or its name."""
    content = document.content
    if content.startswith((_ZIP, _OLE)) or document.name.lower().endswith(_SUFFIXES):
        return True
    return content[:_PEEK].lstrip(_BEFORE_XML).startswith(b"<")


class IsolatedFiles:
    """Reads files in child processes with limits. Safe for many threads at once.

    ``registry``: path ``module:function`` of the function that returns the registry; the children call it themselves, and know
    the plugins that this process knows, since they have its search path. ``expectations``: folder of the suites; with None,
    files are checked against no suite.
    """

    def __init__(self, settings: FilesSettings, *, expectations: Path | None = None, registry: str = DEFAULT_REGISTRY) -> None:
        self._bounds = bounds_of(settings)
        limits = Limits(settings.memory_mib << 20, settings.processor_s, settings.wall_s, settings.output_mib << 20)
        folder = str(expectations.resolve()) if expectations is not None else None
        self.children = Children(f"{__name__}:child_work", {"registry": registry, "expectations": folder}, limits)

    def prepare(
        self,
        document: SourceFile,
        digest: str,
        policy: KnownAtPolicy,
        now: datetime,
        terms: ReadingTerms = SHIPPED_TERMS,
    ) -> Prepared:
        """Return what ``prepare`` returns for a file, from a child; a refusal if the child fails. Raises ``Unavailable``."""
        header = {
            "task": "prepare",
            "name": document.name,
            "digest": digest,
            "policy": _POLICY.dump_json(policy).decode(),
            "now": now.isoformat(),
            "terms": _TERMS.dump_json(terms).decode(),
        }
        try:
            (answer,) = self.children.answers(Message(header, (document.content,)))
            return from_message(answer)
        except ChildFailed as error:
            return Prepared(refusal=error.reason, failure=error.log or error.reason)
        except (ValueError, KeyError, pl.exceptions.PolarsError, FrameMismatch) as error:
            return Prepared(refusal="its reader gave an answer that cannot be understood", failure=repr(error))

    def rows(self, document: SourceFile) -> tuple[DatasetRows, ...]:
        """Return what ``rows_of`` returns for a file, computed in a child. Raises ``RefusedFile`` and ``Unavailable``."""
        try:
            (answer,) = self.children.answers(Message({"task": "rows", "name": document.name}, (document.content,)))
            if (refusal := answer.header.get("refusal")) is not None:
                raise RefusedFile(str(refusal))
            return rows_from_message(answer)
        except ChildFailed as error:
            raise RefusedFile(error.reason) from error

    def locate(self, document: SourceFile, wanted: FileToSearch, terms: ReadingTerms = SHIPPED_TERMS) -> Place:
        """Return what ``locate`` returns for a file, computed in a child. Raises ``Unavailable``."""
        header = {
            "task": "locate",
            "name": document.name,
            "wanted": _WANTED.dump_json(wanted).decode(),
            "terms": _TERMS.dump_json(terms).decode(),
        }
        try:
            (answer,) = self.children.answers(Message(header, (document.content,)))
            return _PLACE.validate_json(str(answer.header["place"]))
        except ChildFailed as error:
            return Place(PlaceState.UNREADABLE, error.reason)
        except (ValueError, KeyError) as error:
            return Place(PlaceState.UNREADABLE, f"its reader gave an answer that cannot be understood: {error!r}")

    def unpack(self, name: str, content: bytes) -> Generator[SourceFile | Unreadable]:
        """Yield what ``unpack`` yields for an archive, computed in a child, which ends with this generator.

        Raises ``Unavailable``.
        """
        header = {"task": "unpack", "name": name, "bounds": _BOUNDS.dump_json(self._bounds).decode()}
        try:
            with closing(
                self.children.answers(Message(header, (content,)), most_bytes=self._bounds.total_bytes + _HEADER_BYTES)
            ) as answers:
                for answer in answers:
                    member = str(answer.header["name"])
                    if (reason := answer.header.get("reason")) is not None:
                        yield Unreadable(member, str(reason), content if answer.header["whole"] else b"")
                    else:
                        yield SourceFile(member, answer.bodies[0], name)
        except ChildFailed as error:
            yield Unreadable(name, error.reason, content, error.log or error.reason)

    def start(self) -> Sequence[int]:
        """Start the process that forks readers, as ``Children.start`` does, so that the first file need not wait for it."""
        return self.children.start()

    def close(self) -> None:
        """End the processes that read files. The next file starts them again."""
        self.children.close()


def bounds_of(settings: FilesSettings) -> ArchiveBounds:
    """Return the bounds of archives that the settings state."""
    return ArchiveBounds(
        member_bytes=settings.member_mib << 20,
        total_bytes=settings.archive_mib << 20,
        members=settings.archive_members,
        levels=settings.archive_levels,
        ratio=settings.archive_ratio,
    )


def child_work(registry: str, expectations: str | None) -> Callable[[Message], Iterator[Message]]:
    """Return the function that children run; the fork server calls this once.

    A request names its task in the header (``prepare``, ``rows``, ``locate`` or ``unpack``) and has the file as its only body.
    """
    importlib.import_module("pyarrow.ipc")  # the reader of workbooks imports it at its first use, which is in every child
    module, _, name = registry.partition(":")
    formats: Registry = getattr(importlib.import_module(module), name)()
    suites = Suites({})
    if expectations is not None:
        suites = read_suites(Path(expectations), of_plugins=formats.suites_of_plugins)

    def work(request: Message) -> Iterator[Message]:
        header, content = request.header, request.bodies[0]
        if header["task"] == "unpack":
            yield from _unpacked(str(header["name"]), content, _BOUNDS.validate_json(header["bounds"]))
            return
        document = SourceFile(str(header["name"]), content)
        if header["task"] == "rows":
            yield _rows(formats, document)
            return
        if header["task"] == "locate":
            wanted, terms = _WANTED.validate_json(header["wanted"]), _TERMS.validate_json(header["terms"])
            place = locate(formats, document, wanted, terms)
            yield Message({"place": _PLACE.dump_json(place).decode()})
            return
        policy, now = _POLICY.validate_json(header["policy"]), _INSTANT.validate_python(header["now"])
        terms = _TERMS.validate_json(header["terms"])
        yield to_message(prepare(formats, suites, document, str(header["digest"]), policy, now, terms))

    return work


def _rows(registry: Registry, document: SourceFile) -> Message:
    try:
        return rows_to_message(rows_of(registry, document))
    except RefusedFile as error:
        return Message({"refusal": error.reason})


def _unpacked(name: str, content: bytes, bounds: ArchiveBounds) -> Iterator[Message]:
    for member in unpack(name, content, bounds):
        if isinstance(member, Unreadable):
            whole = member.content is content
            yield Message({"name": member.name, "reason": member.reason, "whole": whole})
        else:
            yield Message({"name": member.name}, (member.content,))
