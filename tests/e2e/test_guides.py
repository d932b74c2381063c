"""The commands and code of the guides run as the guides say, on a service that was started as they say."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from .conftest import Instance, environment, start_up

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("[a-z]*.md"))
_FENCE = re.compile(r"^```(?P<info>\w[^\n]*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_CURL = 'curl() { command curl --silent --show-error --fail-with-body --max-time 120 --retry 20 --retry-delay 1 "$@"; }\n'
"""curl that fails on an error status. A block that is meant to fail is marked ``fails``.

It tries a 503 again: on a busy machine a service takes its store as gone for a moment.
"""


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
ONE_SCRIPT = "adding-a-source"
"""The guide whose blocks build on each other, in a folder outside the repository."""


@pytest.fixture(scope="module")
def instance(shared_data_dir: Path) -> Iterator[Instance]:
    running = start_up(shared_data_dir)
    yield running
    running.stop()


def test_every_block_has_a_known_language_and_mark() -> None:
    assert {block.language for block in BLOCKS} <= {"sh", "python", "json", "http"}
    assert {block.mark for block in BLOCKS} <= {"", "shown", "fails"}


def test_guides_write_below_a_folder_that_is_always_set() -> None:
    bare = re.compile(r"\$TMPDIR\b|\$\{TMPDIR\}")
    assert [block.guide for block in BLOCKS if bare.search(block.code)] == []


@pytest.mark.parametrize("guide", [path.stem for path in GUIDES if path.stem != ONE_SCRIPT])
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


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_a_source_is_added_as_the_guide_says(instance: Instance, tmp_path: Path) -> None:
    """The package is written, tested, installed without a network, fetched from a local server, ingested and served."""
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    assert Path(uv).is_file(), "uv is neither on the path nor in .uv: run make setup"
    blocks = [block for block in BLOCKS if (block.guide, block.language, block.mark) == (ONE_SCRIPT, "sh", "")]
    script = "\n".join(block.code for block in blocks)
    script = script.replace("http://127.0.0.1:8000", instance.url).replace("8901", str(free_port()))
    variables = environment(
        AURUM_DATA_DIR=str(instance.data_dir),
        PATH=os.pathsep.join([str(Path(sys.executable).parent), str(Path(uv).parent), os.defpath]),
        PYTHONDONTWRITEBYTECODE="1",
        UV_CACHE_DIR=str(tmp_path / "cache"),
        UV_OFFLINE="1",
    )
    command = ["bash", "-euo", "pipefail", "-c", f"trap 'kill $(jobs -p)' EXIT\n{_CURL}{script}"]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
    for region in ("NORTH", "SOUTH"):
        path = f"/v2/series/riverside:hourly_load:{region}:load/observations"
        served = instance.data(path, start="2025-07-04", end="2025-07-06").json()["data"]
        assert len(served) == 48
        assert [point["value"] for point in served[:24]] == [point["value"] for point in served[24:]]


_FILLED = ("series", "start", "end", "tz")
"""Optional parameters that the reference fills in besides the required ones: see ``assets/reference.js``."""


def shown(parameter: dict[str, Any]) -> object:
    """Return the example that the reference fills in."""
    return parameter["example"] if "example" in parameter else parameter["schema"]["examples"][0]


_NOT_TRIED = (
    "/v2/changes/events",
    "/v2/changes/{position}/points",
    "/v2/links",
    "/v2/jobs",
    "/v2/jobs/{job_id}",
    "/v2/jobs/{job_id}/events",
    "/v2/alerts",
    "/v2/alerts/{alert_id}",
    "/v2/webhooks",
    "/v2/webhooks/{webhook_id}",
    "/v2/webhooks/{webhook_id}/deliveries",
    "/v2/webhooks/deliveries/{delivery_id}/attempts",
    "/v2/curves/{key}/shape",
    "/v2/mappings",
    "/v2/mappings/unknown",
    "/v2/mappings/{mapping_id}",
    "/v2/units/mappings",
)
"""Streams without an end, paths with a position or an id of one store alone, and what is empty until a client makes one."""
_AFTER_A_BUILD = ("/v2/catalog/models", "/v2/catalog/models/{model}", "/v2/catalog/model-runs")
"""Routes of models, which do not exist until they are built."""
_OF_CURVES = (
    "/v2/curves/diff",
    "/v2/curves/{key}/quotes",
    "/v2/curves/{key}/history",
    "/v2/curves/{key}/strips",
    "/v2/curves/{key}/continuous",
    "/v2/curves/{key}/discount",
    "/v2/curves/explain",
    "/v2/shapes",
    "/v2/shapes/{name}",
)
"""Routes of quotes and shapes. The sample has products, and none of these."""
_OF_A_TENANT = (
    "/v2/private/series",
    "/v2/private/series/{name}",
    "/v2/curves/derived",
    "/v2/curves/derived/{derived_id}",
    "/v2/curves/sets",
    "/v2/curves/sets/{set_id}",
    "/v2/curves/sets/{set_id}/values",
    "/v2/curves/sets/{set_id}/checks",
)
"""Routes of private series, derived curves and curve sets. The sample has none."""


def test_what_the_reference_fills_in_can_be_executed_and_shows_numbers_of_the_sample(instance: Instance) -> None:
    empty: list[str] = []
    for path, methods in instance.get("/openapi.json").json()["paths"].items():
        if not path.startswith("/v2/") or path.startswith("/v2/admin") or "get" not in methods:
            continue
        if path in (*_AFTER_A_BUILD, *_NOT_TRIED, *_OF_CURVES, *_OF_A_TENANT):
            continue
        filled = [one for one in methods["get"].get("parameters", []) if one.get("required") or one.get("name") in _FILLED]
        query = {one["name"]: shown(one) for one in filled if one["in"] == "query"}
        target = path
        for one in filled:
            if one["in"] == "path":
                target = target.replace(f"{{{one['name']}}}", quote(str(shown(one)), safe=""))
        answer = instance.data(target, **query)
        assert answer.status_code == 200, f"{path}: {answer.text[:300]}"
        if not answer.json().get("data", True):
            empty.append(path)
    # The first lists what is incomplete, and those days are not. Of droughts the sample has the index, and no shares of area.
    assert empty == ["/v2/catalog/quality/completeness", "/v2/drought/usdm"]
