"""Schemathesis, all checks, against a running service with a populated store: what openapi.json says is what is served."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from api_process import listening

from aurum.api.main import create_app
from aurum.common.settings import Settings

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = 40
"""Of each operation and phase; the run takes a quarter of a minute."""


@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing(settings: Settings, tmp_path: Path) -> None:
    everything = settings.model_copy(update={"api": settings.api.model_copy(update={"enable_v1": True})})
    with listening(everything) as url:
        command = [
            sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
            "--config-file", str(ROOT / "schemathesis.toml"),
            "run", f"{url}/openapi.json",
            "--checks", "all",
            "--max-examples", str(EXAMPLES),
            "--generation-deterministic",
            "--no-color",
        ]  # fmt: skip
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    operations = sum(len(methods) for methods in create_app(everything).openapi()["paths"].values())
    assert f"Tested: {operations}" in run.stdout, run.stdout[-3000:]
