"""The ``contracts`` folder: data that other systems may rely on, beside the code and not inside it."""

from __future__ import annotations

from pathlib import Path


class ContractsNotFound(FileNotFoundError):
    """No ``contracts`` folder exists. The text names the setting for its path."""


def contracts_directory(configured: Path | None) -> Path:
    """Return the configured folder, else the one of the checkout this code runs from. Raises ``ContractsNotFound``."""
    if configured is not None:
        if configured.is_dir():
            return configured
        raise ContractsNotFound(f"AURUM_CONTRACTS_DIR: {configured} is not a folder")
    for parent in Path(__file__).resolve().parents:
        if (parent / "contracts" / "expectations").is_dir():
            return parent / "contracts"
    raise ContractsNotFound("no folder contracts above the code: set AURUM_CONTRACTS_DIR to its path")
