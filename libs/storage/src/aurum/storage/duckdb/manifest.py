"""The manifest: which files history is made of. What it does not name is not there, whatever lies in the folder.

It is replaced whole and atomically, so a reader sees all of a change or nothing of it. Files never change; one that left the
manifest stays readable for a while, for readers that still hold the manifest before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from aurum.core.errors import Unavailable

NAME = "manifest.json"
_FORMAT = 1


class ManifestUnreadable(Unavailable):
    """A manifest of a newer format, or of none."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file. ``archive_ids``: exactly those of its rows. ``name``: below the folder."""

    name: str
    source: str
    month: date
    archive_ids: tuple[int, ...]
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Retired:
    """A file that is no longer part of history, and since when."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Manifest:
    """A state of history."""

    files: tuple[DataFile, ...] = ()
    retired: tuple[Retired, ...] = ()
    by_place: dict[tuple[str, date, int], DataFile] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = {(file.source, file.month, archive_id): file for file in self.files for archive_id in file.archive_ids}
        object.__setattr__(self, "by_place", places)

    def exchanged(self, gone: tuple[DataFile, ...], come: tuple[DataFile, ...], *, now: datetime) -> Manifest:
        """With other files in the place of some."""
        names = {file.name for file in gone}
        return replace(
            self,
            files=(*(file for file in self.files if file.name not in names), *come),
            retired=(*self.retired, *(Retired(name, now) for name in sorted(names))),
        )

    def without_retired(self, names: frozenset[str]) -> Manifest:
        """Once those files are deleted."""
        return replace(self, retired=tuple(one for one in self.retired if one.name not in names))

    def expired(self, *, now: datetime, grace: timedelta) -> frozenset[str]:
        """Retired files that no reader can hold any more."""
        return frozenset(one.name for one in self.retired if one.at <= now - grace)

    def encode(self) -> bytes:
        document: dict[str, Any] = {
            "format": _FORMAT,
            "files": [
                {
                    "name": file.name,
                    "source": file.source,
                    "month": file.month.isoformat(),
                    "archive_ids": file.archive_ids,
                    "rows": file.rows,
                    "size": file.size,
                }
                for file in self.files
            ],
            "retired": [{"name": one.name, "at": one.at.isoformat()} for one in self.retired],
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def decode(cls, content: bytes) -> Manifest:
        """Raises ``ManifestUnreadable``."""
        try:
            document = json.loads(content)
            if document["format"] != _FORMAT:
                raise ManifestUnreadable(f"{NAME} of history has format {document['format']!r}, this version reads {_FORMAT}")
            return cls(
                files=tuple(
                    DataFile(
                        one["name"],
                        one["source"],
                        date.fromisoformat(one["month"]),
                        tuple(one["archive_ids"]),
                        one["rows"],
                        one["size"],
                    )
                    for one in document["files"]
                ),
                retired=tuple(Retired(one["name"], datetime.fromisoformat(one["at"])) for one in document["retired"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ManifestUnreadable(f"{NAME} of history cannot be read: {error}") from error
