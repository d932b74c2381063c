"""The schemas of jobs are those of the definitions in the code."""

from __future__ import annotations

import json
from pathlib import Path

from aurum.services.jobs.definitions import default_definitions
from tools.job_contracts import FOLDER, contracts, differences, write


def test_each_definition_has_its_schema_in_the_contracts() -> None:
    assert differences(FOLDER, contracts()) == [], "run make events"


def test_a_schema_describes_every_member_and_says_which_are_required() -> None:
    for name, definition in default_definitions().by_name.items():
        schema = json.loads(contracts()[f"{name}.json"])
        assert (schema["title"], schema["description"]) == (name, definition.summary)
        assert schema["additionalProperties"] is False
        assert set(schema["properties"]) == set(definition.payload.model_fields)
        assert all(member["description"] for member in schema["properties"].values()), name
        required = {member for member, field in definition.payload.model_fields.items() if field.is_required()}
        assert set(schema.get("required", [])) == required


def test_files_that_differ_are_missing_or_describe_no_job_are_named_and_mended(tmp_path: Path) -> None:
    expected = {"a.json": "1\n", "b.json": "2\n"}
    (tmp_path / "a.json").write_text("0\n")
    (tmp_path / "old.json").write_text("3\n")
    assert differences(tmp_path, expected) == [
        "old.json describes no job",
        "b.json is missing",
        "a.json differs from the definition in the code",
    ]
    write(tmp_path, expected)
    assert differences(tmp_path, expected) == []
