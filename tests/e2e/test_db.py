"""``aurum db`` on a PostgreSQL without TimescaleDB."""

from pathlib import Path

import pytest

from .conftest import aurum

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("arguments", [["optimize"], ["policies"], ["chunks", "--compress"]])
def test_commands_that_need_timescaledb_say_so_in_one_line(data_dir: Path, arguments: list[str]) -> None:
    done = aurum(data_dir, "db", *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip().splitlines() == [
        "aurum: the server has no extension timescaledb; the store keeps working on plain PostgreSQL "
        "(the README says how to get TimescaleDB)"
    ]
    assert aurum(data_dir, "series", "list").returncode == 0


def test_an_unknown_class_of_data_is_named_with_the_known_ones(data_dir: Path) -> None:
    done = aurum(data_dir, "db", "policies", "--retain", "prices=30")
    assert done.returncode == 2
    assert "unknown data class 'prices'" in done.stderr
    assert "values" in done.stderr
