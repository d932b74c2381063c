"""The commands and code of the guides run as the guides say, on a service that was started as they say."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from .conftest import Instance, environment, start_up

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("[a-z]*.md"))
_FENCE = re.compile(r"^```(?P<info>\w[^\n]*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_CURL = 'curl() { command curl --silent --show-error --fail-with-body --max-time 120 "$@"; }\n'
"""curl that fails on an error status. A block that is meant to fail is marked ``fails``."""


@dataclass(frozen=True)
class Block:
    """A fenced block. ``mark``: the word after its language."""

    guide: str
    language: str
    mark: str
    code: str


def blocks_of(path: Path) -> list[Block]:
    blocks = []
    for one in _FENCE.finditer(path.read_text(encoding="utf-8")):
        language, _, mark = one["info"].partition(" ")
        blocks.append(Block(path.stem, language, mark, one["code"]))
    return blocks


BLOCKS = [block for path in GUIDES for block in blocks_of(path)]


@pytest.fixture(scope="module")
def instance(shared_data_dir: Path) -> Iterator[Instance]:
    running = start_up(shared_data_dir)
    yield running
    running.stop()


def test_every_block_has_a_known_language_and_mark() -> None:
    assert {block.language for block in BLOCKS} <= {"sh", "python", "json", "http"}
    assert {block.mark for block in BLOCKS} <= {"", "shown", "fails"}


@pytest.mark.parametrize("guide", [path.stem for path in GUIDES])
def test_the_commands_of_a_guide_run_as_it_says(guide: str, instance: Instance, tmp_path: Path) -> None:
    variables = environment(AURUM_DATA_DIR=str(instance.data_dir), TMPDIR=str(tmp_path))
    for block in (one for one in BLOCKS if one.guide == guide and one.mark != "shown"):
        code = block.code.replace("http://127.0.0.1:8000", instance.url)
        if block.language == "sh":
            command = ["bash", "-euo", "pipefail", "-c", _CURL + code]
        elif block.language == "python":
            command = [sys.executable, "-c", code]
        else:
            continue
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode != 0) == (block.mark == "fails"), f"{block.code}{done.stdout[-800:]}{done.stderr[-800:]}"


_FILLED = ("start", "end", "tz")
"""Optional parameters that the reference fills in besides the required ones: see ``assets/reference.js``."""


def shown(parameter: dict[str, Any]) -> object:
    """Return the example that the reference fills in."""
    return parameter["example"] if "example" in parameter else parameter["schema"]["examples"][0]


_AFTER_A_BUILD = ("/v2/catalog/models", "/v2/catalog/models/{model}", "/v2/catalog/model-runs")
"""Routes of models, which do not exist until they are built."""


def test_what_the_reference_fills_in_can_be_executed_and_shows_numbers_of_the_sample(instance: Instance) -> None:
    empty: list[str] = []
    for path, methods in instance.get("/openapi.json").json()["paths"].items():
        if not path.startswith("/v2/") or path.startswith("/v2/admin") or path in _AFTER_A_BUILD or "get" not in methods:
            continue
        filled = [one for one in methods["get"].get("parameters", []) if one.get("required") or one.get("name") in _FILLED]
        query = {one["name"]: shown(one) for one in filled if one["in"] == "query"}
        target = path
        for one in filled:
            if one["in"] == "path":
                target = target.replace(f"{{{one['name']}}}", quote(str(shown(one)), safe=""))
        answer = httpx.get(instance.url + target, params=query, timeout=120, trust_env=False)
        assert answer.status_code == 200, f"{path}: {answer.text[:300]}"
        if not answer.json().get("data", True):
            empty.append(path)
    assert empty == ["/v2/catalog/quality/completeness"]  # which lists what is incomplete: those days are not
