"""Environment variables that begin with ``AURUM_``: unknown ones stop every process."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aurum.common.settings import Settings
from aurum.common.settings.unknown import OTHER_PREFIXES, OTHER_VARIABLES, setting_names

ROOT = Path(__file__).parents[1]
READ_BY_OTHERS = re.compile(r"\$\{?(AURUM_[A-Z0-9_]+)")
PROCESSES = {
    "api": ["aurum.api", "serve"],
    "api data docs": ["aurum.api", "data-docs", "--out", "nowhere"],
    "api by its factory": ["uvicorn", "--factory", "aurum.api.main:create_app_from_environment"],
    "worker": ["aurum.workers"],
    "cli": ["aurum.cli.main", "sources"],
}


def read_by_others() -> Iterator[str]:
    """Yield the variables that docker-compose.yml and the guides use."""
    for path in [ROOT / "docker-compose.yml", *ROOT.glob("docs/guides/*.md")]:
        yield from READ_BY_OTHERS.findall(path.read_text())


def test_variables_of_compose_and_guides_are_those_that_settings_let_pass() -> None:
    assert set(read_by_others()) - set(setting_names(Settings)) == OTHER_VARIABLES


def test_no_setting_has_the_name_of_a_variable_for_others() -> None:
    for name in setting_names(Settings):
        assert name not in OTHER_VARIABLES
        assert not name.startswith(OTHER_PREFIXES)


@pytest.mark.needs_process
@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("in_file", [False, True], ids=["environment", "file"])
def test_a_process_with_a_variable_that_is_no_setting_ends_with_code_2_and_one_line(
    tmp_path: Path, process: str, in_file: bool
) -> None:
    variables = {"AURUM_DATABASE_URL": "postgresql://aurum:open-sesame@db/aurum"}
    if in_file:
        (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    command = [sys.executable, "-m", *PROCESSES[process]]
    environment = {"PATH": ""} if in_file else {"PATH": "", **variables}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    where = " in .env" if in_file else ""
    assert f"AURUM_DATABASE_URL{where}: there is no such setting; did you mean AURUM_DATABASE__URL?" in line
    assert "open-sesame" not in line
