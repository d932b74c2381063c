"""Settings of files that are loaded: bounds of their size, of archives, and of the process that reads workbooks and XML.

Also which of them are stored as they came.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FilesSettings(BaseModel):
    """``AURUM_FILES__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file_mib: int = Field(default=2048, ge=1, description="largest file that is read, in MiB")
    member_mib: int = Field(default=1024, ge=1, description="largest unpacked member of an archive, in MiB")
    archive_mib: int = Field(default=4096, ge=1, description="most that an archive with all archives in it unpacks to, in MiB")
    archive_members: int = Field(default=20_000, ge=1, description="most members of an archive with all archives in it")
    archive_levels: int = Field(default=3, ge=1, description="most archives within each other")
    archive_ratio: int = Field(
        default=200, ge=1, description="largest unpacked size of an archive of more than 64 MiB, in multiples of its own size"
    )
    memory_mib: int = Field(
        default=2048, ge=2048, description="address space of the process that reads a workbook, XML or archive, in MiB"
    )
    processor_s: int = Field(default=120, ge=1, description="processor time to read one workbook, XML file or archive")
    wall_s: float = Field(default=300.0, gt=0, description="time to read one workbook, XML file or archive")
    output_mib: int = Field(default=1024, ge=1, description="most rows that are read from one workbook or XML file, in MiB")
    raw_files: Literal["curves", "all", "quarantined", "none"] = Field(
        default="curves",
        description="files that are stored as they came, to find a number in its file and to load rows in quarantine again: "
        "curves stores those with quotes of curves and those with rows in quarantine; all; quarantined, only those with rows "
        "in quarantine; none, so that `aurum quarantine replay` needs --file",
    )
    raw_files_mib: int | None = Field(
        default=None,
        ge=1,
        description="most MiB, packed, of the stored files that no row in quarantine needs; the oldest are deleted",
    )
    raw_files_days: int | None = Field(
        default=None,
        ge=1,
        description="days after which a stored file that no row in quarantine needs is deleted",
    )


def limit_of(name: str) -> str:
    """Return how a refusal names a setting: ``the limit of AURUM_FILES__WALL_S``. ``name``: of the field, ``wall_s``."""
    return f"the limit of AURUM_FILES__{name.upper()}"
