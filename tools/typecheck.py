"""Run pyright, and fail if it checked too few files."""

from __future__ import annotations

import json
import subprocess
import sys


def main() -> int:
    command = [sys.executable, "-m", "pyright", "--outputjson"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    for finding in report["generalDiagnostics"]:
        start = finding["range"]["start"]
        print(f"{finding['file']}:{start['line'] + 1}:{start['character'] + 1}: {finding['severity']}: {finding['message']}")
    summary = report["summary"]
    print(f"pyright: {summary['filesAnalyzed']} files, {summary['errorCount']} errors, {summary['warningCount']} warnings")
    if summary["filesAnalyzed"] < 50:
        print("pyright checked fewer than 50 files: check its include list")
        return 1
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
