"""pyright checks ``conformance.py``, which the settings of the workspace exclude with all other tests."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_process

HERE = Path(__file__).parent


def errors_in(folder: Path) -> list[str]:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    assert report["summary"]["filesAnalyzed"] == 1
    return [finding["message"] for finding in report["generalDiagnostics"] if finding["severity"] == "error"]


def test_every_adapter_fits_its_port() -> None:
    assert errors_in(HERE) == []


def test_an_adapter_that_does_not_fit_is_found(tmp_path: Path) -> None:
    shutil.copy(HERE / "pyrightconfig.json", tmp_path)
    wrong = (HERE / "conformance.py").read_text().replace(": SeriesReader = Memory", ": Loader = Memory")
    (tmp_path / "conformance.py").write_text(wrong)
    assert any('"MemorySeriesReader" is not assignable to' in message for message in errors_in(tmp_path))
