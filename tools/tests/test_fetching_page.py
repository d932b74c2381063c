"""The guide of fetching is what the sources declare."""

from __future__ import annotations

from tools.fetching_page import PAGE, page


def test_the_guide_of_fetching_is_that_of_the_sources() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run .venv/bin/python tools/fetching_page.py"
