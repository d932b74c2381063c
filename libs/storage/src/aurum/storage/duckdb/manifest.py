"""The manifest: the list of the files that make up history. A file that it does not name is not part of history.

It is replaced atomically, so a reader sees either all of a change or nothing of it. Files never change. A file that was removed
from the manifest stays readable for a while, for readers that still use the earlier manifest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from aurum.core.errors import Unavailable
from aurum.storage.ports.history import ArchivedPart

NAME = "manifest.json"
_FORMATS = (1, 2)
"""In format 1 each file has rows of one month. Format 2 is written only if a file has rows of several months. Releases that
know only format 1 must refuse it: they would take all rows of an id for rows of one month."""


class ManifestUnreadable(Unavailable):
    """The manifest cannot be parsed, or has a format that this release does not read."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file. ``archive_ids``: exactly the ids of its rows. ``name``: its path below the folder.

    ``first``, ``last``: months of its earliest and its latest row.
    """

    name: str
    source: str
    first: date
    last: date
    archive_ids: tuple[int, ...]
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Retired:
    """A file that is no longer part of history. ``at``: the time at which it was removed, UTC."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Manifest:
    """One state of history."""

    files: tuple[DataFile, ...] = ()
    retired: tuple[Retired, ...] = ()
    _by_id: dict[tuple[str, int], list[DataFile]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id: dict[tuple[str, int], list[DataFile]] = {}
        for file in self.files:
            for archive_id in file.archive_ids:
                by_id.setdefault((file.source, archive_id), []).append(file)
        object.__setattr__(self, "_by_id", by_id)

    def under_id(self, source: str, archive_id: int) -> Sequence[DataFile]:
        """Return the files with rows of a source under an id."""
        return self._by_id.get((source, archive_id), ())

    def file_of(self, part: ArchivedPart) -> DataFile | None:
        """Return the file with the rows of a part; None if there is none."""
        files = self.under_id(part.source, part.archive_id)
        return next((file for file in files if file.first <= part.month <= file.last), None)

    def with_replaced(self, removed: tuple[DataFile, ...], added: tuple[DataFile, ...], *, now: datetime) -> Manifest:
        """Return the manifest with some files retired and others added."""
        names = {file.name for file in removed}
        return replace(
            self,
            files=(*(file for file in self.files if file.name not in names), *added),
            retired=(*self.retired, *(Retired(name, now) for name in sorted(names))),
        )

    def without_retired(self, names: frozenset[str]) -> Manifest:
        """Return the manifest without some retired files, once they are deleted."""
        return replace(self, retired=tuple(file for file in self.retired if file.name not in names))

    def expired(self, *, now: datetime, grace: timedelta) -> frozenset[str]:
        """Return the names of the retired files that no reader can be using any more."""
        return frozenset(file.name for file in self.retired if file.at <= now - grace)

    def encode(self) -> bytes:
        document: dict[str, Any] = {
            "format": _FORMATS[any(file.first != file.last for file in self.files)],
            "files": [
                {
                    "name": file.name,
                    "source": file.source,
                    "month": file.first.isoformat(),
                    **({"last_month": file.last.isoformat()} if file.last != file.first else {}),
                    "archive_ids": file.archive_ids,
                    "rows": file.rows,
                    "size": file.size,
                }
                for file in self.files
            ],
            "retired": [{"name": file.name, "at": file.at.isoformat()} for file in self.retired],
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def decode(cls, content: bytes) -> Manifest:
        """Parse the JSON of a manifest. Raises ``ManifestUnreadable``."""
        try:
            document = json.loads(content)
            if document["format"] not in _FORMATS:
                raise ManifestUnreadable(
                    f"{NAME} of history has format {document['format']!r}, this release reads up to {_FORMATS[-1]}: "
                    "install a newer one"
                )
            return cls(
                files=tuple(
                    DataFile(
                        entry["name"],
                        entry["source"],
                        date.fromisoformat(entry["month"]),
                        date.fromisoformat(entry.get("last_month", entry["month"])),
                        tuple(entry["archive_ids"]),
                        entry["rows"],
                        entry["size"],
                    )
                    for entry in document["files"]
                ),
                retired=tuple(Retired(entry["name"], datetime.fromisoformat(entry["at"])) for entry in document["retired"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ManifestUnreadable(f"{NAME} of history cannot be read: {error}") from error
