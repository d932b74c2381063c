"""The folder of the guides: Markdown files beside the code, like ``contracts``."""

from __future__ import annotations

from pathlib import Path


class GuidesNotFound(FileNotFoundError):
    """No folder of guides exists. The text names the setting for its path."""


def guides_directory(configured: Path | None) -> Path:
    """Return the configured folder, else ``docs/guides`` of the checkout this code runs from. Raises ``GuidesNotFound``."""
    if configured is not None:
        if configured.is_dir():
            return configured
        raise GuidesNotFound(f"AURUM_GUIDES_DIR: {configured} is not a folder")
    for parent in Path(__file__).resolve().parents:
        if (parent / "docs" / "guides").is_dir():
            return parent / "docs" / "guides"
    raise GuidesNotFound("no folder docs/guides above the code: set AURUM_GUIDES_DIR to its path")
