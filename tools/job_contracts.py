"""Writes ``contracts/events``: for each job the JSON schema of its payload, from the definitions in the code.

``--check`` writes nothing and fails where a file differs, is missing, or describes no job.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from aurum.services.jobs.definitions import default_definitions

FOLDER = Path(__file__).resolve().parents[1] / "contracts/events"
_FIX = "run make events"


def contracts() -> dict[str, str]:
    """Return the content of each file of the folder, by the name of the file."""
    definitions = default_definitions().by_name
    return {f"{name}.json": json.dumps(one.schema(), indent=2) + "\n" for name, one in sorted(definitions.items())}


def differences(folder: Path, expected: Mapping[str, str]) -> list[str]:
    """Return a line for each file of a folder that is not as expected."""
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    lines = [f"{name} describes no job" for name in sorted(present.keys() - expected.keys())]
    lines += [f"{name} is missing" for name in sorted(expected.keys() - present.keys())]
    both = sorted(expected.keys() & present.keys())
    return lines + [f"{name} differs from the definition in the code" for name in both if present[name] != expected[name]]


def write(folder: Path, expected: Mapping[str, str]) -> None:
    """Write the files of a folder, and delete those of jobs that are no longer defined."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if path.name not in expected:
            path.unlink()
    for name, content in expected.items():
        (folder / name).write_text(content, encoding="utf-8")


def main() -> int:
    """Write or check the folder; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 where a file differs")
    if not parser.parse_args().check:
        write(FOLDER, contracts())
        return 0
    wrong = differences(FOLDER, contracts())
    for line in wrong:
        print(f"contracts/events/{line}: {_FIX}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
