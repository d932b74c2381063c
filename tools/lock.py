"""Writes ``uv.lock`` without the addresses of any package index; checks that it is up to date.

The lock names versions and hashes. Where the files come from is the business of the machine that installs (its index or
mirror), so addresses are replaced by a placeholder, and ``make setup`` installs from the lock by name, version and hash.

    python tools/lock.py write UV      resolve, write, strip
    python tools/lock.py check UV      exit 1 when pyproject files and lock disagree or an address crept in
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "uv.lock"
_REGISTRY = re.compile(r'registry = "https?://[^"]*"')
_FILE = re.compile(r'url = "https?://[^"]*/([^"/]+)"')
_NOWHERE = "https://index.invalid"


def stripped(lock: str) -> str:
    """The lock with every address replaced.

    >>> stripped('source = { registry = "https://a.example/simple" }')
    'source = { registry = "https://index.invalid/simple" }'
    >>> stripped('{ url = "https://b.example/x/six-1.whl", hash = "sha256:0" }')
    '{ url = "https://index.invalid/six-1.whl", hash = "sha256:0" }'
    """
    return _FILE.sub(rf'url = "{_NOWHERE}/\1"', _REGISTRY.sub(f'registry = "{_NOWHERE}/simple"', lock))


def main(action: str, uv: str) -> int:
    if action == "write":
        subprocess.run([uv, "lock"], cwd=LOCK.parent, check=True)
        LOCK.write_text(stripped(LOCK.read_text()))
        return 0
    if LOCK.read_text() != stripped(LOCK.read_text()):
        print("uv.lock holds addresses of a package index: run `make lock`")
        return 1
    return subprocess.run([uv, "lock", "--check", "--offline"], cwd=LOCK.parent, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
