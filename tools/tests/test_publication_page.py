"""The guide of usual publication times is what the datasets declare."""

from __future__ import annotations

from tools.publication_page import PAGE, page


def test_the_guide_of_publication_times_is_that_of_the_datasets() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run .venv/bin/python tools/publication_page.py"
