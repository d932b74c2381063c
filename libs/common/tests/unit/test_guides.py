from __future__ import annotations

from pathlib import Path

import pytest

from aurum.common.guides import GuidesNotFound, guides_directory


def test_guides_of_the_checkout_are_found() -> None:
    assert (guides_directory(None) / "quickstart.md").is_file()


def test_a_configured_folder_is_used(tmp_path: Path) -> None:
    assert guides_directory(tmp_path) == tmp_path


def test_a_configured_folder_that_does_not_exist_is_named_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(GuidesNotFound, match=r"AURUM_GUIDES_DIR.*none"):
        guides_directory(tmp_path / "none")
