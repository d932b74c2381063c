"""The sample data shipped with Aurum: where its files are. What they are says ``sample/README.md``."""

from __future__ import annotations

from pathlib import Path


def sample_files() -> list[Path]:
    """The sample files, in order."""
    folder = Path(__file__).parents[1] / "sample"
    return sorted(path for path in folder.glob("*/*") if path.is_file())
