"""Documents of the log of ingested files."""

from __future__ import annotations

from pydantic import BaseModel

from aurum.api.contract.schemas import FileDocument


class FileRecords(BaseModel):
    data: list[FileDocument]
