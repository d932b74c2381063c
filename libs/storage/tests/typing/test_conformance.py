"""pyright checks ``conformance.py``, which the settings of the workspace exclude with all other tests."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_process

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The errors in each file. Both files are checked in one run, which spends most of its time on what they import."""
    folder = tmp_path_factory.mktemp("typing")
    for name in ("pyrightconfig.json", "conformance.py"):
        shutil.copy(HERE / name, folder)
    wrong = (HERE / "conformance.py").read_text().replace(": SeriesReader = Memory", ": Loader = Memory")
    (folder / "wrong.py").write_text(wrong)
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    assert report["summary"]["filesAnalyzed"] == 2
    of_file: dict[str, list[str]] = {"conformance.py": [], "wrong.py": []}
    for finding in report["generalDiagnostics"]:
        if finding["severity"] == "error":
            of_file[Path(finding["file"]).name].append(finding["message"])
    return of_file


def test_every_adapter_fits_its_port(errors: dict[str, list[str]]) -> None:
    assert errors["conformance.py"] == []


def test_an_adapter_that_does_not_fit_is_found(errors: dict[str, list[str]]) -> None:
    assert any('"MemorySeriesReader" is not assignable to' in message for message in errors["wrong.py"])
