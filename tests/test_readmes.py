"""The Python code in the READMEs of the members runs."""

from pathlib import Path

import pytest
from mktestdocs import check_md_file

ROOT = Path(__file__).parents[1]
READMES = sorted(ROOT.glob("libs/*/README.md"))


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_the_python_in_a_readme_runs(path: Path) -> None:
    check_md_file(path, lang="python")


def test_every_member_has_a_readme_that_says_what_it_may_import() -> None:
    for path in [*READMES, *ROOT.glob("apps/*/README.md")]:
        assert "**May import:**" in path.read_text(), path


def test_decisions_are_all_in_the_index() -> None:
    index = (ROOT / "docs/adr/index.md").read_text()
    for path in (ROOT / "docs/adr").glob("0*.md"):
        assert path.name in index
        assert "**Enforced by.**" in path.read_text()
