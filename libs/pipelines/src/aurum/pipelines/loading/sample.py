"""The files of the sample data shipped with Aurum, which ``sample/README.md`` describes."""

from __future__ import annotations

from pathlib import Path


def sample_files() -> list[Path]:
    """Return the paths of the sample files, in order."""
    folder = Path(__file__).parents[1] / "sample"
    return sorted(path for path in folder.glob("*/*") if path.is_file())
