"""Where the ``contracts`` folder is: data that others may rely on, beside the code and not inside it."""

from __future__ import annotations

from pathlib import Path


class ContractsNotFound(FileNotFoundError):
    """There is no ``contracts`` folder; the text names the setting that can point at one."""


def contracts_directory(configured: Path | None) -> Path:
    """The configured folder, else the one of the checkout this code runs from. Raises ``ContractsNotFound``."""
    if configured is not None:
        if configured.is_dir():
            return configured
        raise ContractsNotFound(f"AURUM_CONTRACTS_DIR: there is no folder {configured}")
    for parent in Path(__file__).resolve().parents:
        if (parent / "contracts" / "expectations").is_dir():
            return parent / "contracts"
    raise ContractsNotFound("no contracts folder beside the code: set AURUM_CONTRACTS_DIR")
