"""Chooses the files of history to merge: small files of one source, in the order of their months, up to a full file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aurum.core.chunks import chunks
from aurum.storage.duckdb.manifest import DataFile
from aurum.storage.ports.history import Merge


@dataclass(frozen=True, slots=True)
class FileSizes:
    """Sizes in bytes: files below ``small`` are merged into files of at most ``full``.

    A merged file that is not the last of its source has more than ``full - small`` bytes, so it is not small if ``full`` is at
    least twice ``small``: a second compaction has nothing to do.
    """

    small: int = 64 << 20
    full: int = 192 << 20


def groups(files: Sequence[DataFile], sizes: FileSizes) -> Iterator[tuple[DataFile, ...]]:
    """Yield groups of two or more files to merge into one, by source and month."""
    by_source: dict[str, list[DataFile]] = {}
    for file in files:
        if file.size < sizes.small:
            by_source.setdefault(file.source, []).append(file)
    for source in sorted(by_source):
        small = sorted(by_source[source], key=lambda file: (file.first, file.last, file.archive_ids))
        for group in chunks(small, size=lambda file: file.size, most=sizes.full):
            if len(group) > 1:
                yield tuple(group)


def merge_of(group: Sequence[DataFile]) -> Merge:
    """Return the report of the merge of a group."""
    return Merge(
        source=group[0].source,
        first=min(file.first for file in group),
        last=max(file.last for file in group),
        files=len(group),
        rows=sum(file.rows for file in group),
        size=sum(file.size for file in group),
    )
