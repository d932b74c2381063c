"""Where the guides are: Markdown beside the code and not inside it, as ``contracts`` is."""

from __future__ import annotations

from pathlib import Path


class GuidesNotFound(FileNotFoundError):
    """There is no folder of guides; the text names the setting that can point at one."""


def guides_directory(configured: Path | None) -> Path:
    """The configured folder, else ``docs/guides`` of the checkout this code runs from. Raises ``GuidesNotFound``."""
    if configured is not None:
        if configured.is_dir():
            return configured
        raise GuidesNotFound(f"AURUM_GUIDES_DIR: there is no folder {configured}")
    for parent in Path(__file__).resolve().parents:
        if (parent / "docs" / "guides").is_dir():
            return parent / "docs" / "guides"
    raise GuidesNotFound("no guides beside the code: set AURUM_GUIDES_DIR")
