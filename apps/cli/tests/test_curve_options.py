"""Options that the commands of ``aurum curves`` have in common."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from aurum.cli.curves import app
from aurum.core.errors import InvalidParameters


def test_every_command_reads_the_curves_of_the_same_tenant_by_default() -> None:
    group = typer.main.get_group(app)
    options = {
        name: option.default
        for name, command in group.commands.items()
        for option in command.params
        if option.name == "tenant" and not option.required
    }
    assert {"list", "show", "diff", "build", "shape", "continuous", "explain"} <= options.keys()
    assert set(options.values()) == {"local"}


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("show KEY", "--trade-date"),
        ("diff KEY", "--a"),
        ("continuous KEY", "--to"),
        ("continuous KEY", "--adjust"),
        ("derived add KEY {}", "--from"),
        ("sets list", "--trade-date"),
        ("sets list", "--state"),
        ("sets new NAME KEY", "--trade-date"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_option(command: str, option: str) -> None:
    refused = CliRunner().invoke(app, [*command.split(), option, "2024-13-01"]).exception
    assert isinstance(refused, InvalidParameters)
    assert [one["field"] for one in refused.facts["errors"]] == [option]
