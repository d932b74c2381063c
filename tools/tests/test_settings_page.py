"""The guide of all settings is what the code says, and says what each setting means."""

from __future__ import annotations

import re

from tools.settings_page import PAGE, page


def test_the_guide_of_settings_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run .venv/bin/python tools/settings_page.py"


def test_every_setting_has_a_meaning() -> None:
    assert re.findall(r"^\| `(AURUM_\w+)` \|[^|]*\|\s*\|$", page(), re.MULTILINE) == []
