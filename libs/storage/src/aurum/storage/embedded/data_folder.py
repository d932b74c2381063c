"""The data folder of the embedded PostgreSQL: its creation, its configuration, and the start of its server."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aurum.storage.embedded.account import account_for, grant_access, hand_over
from aurum.storage.embedded.postmaster import SUPERUSER
from aurum.storage.embedded.programs import program, run
from aurum.storage.embedded.users import EmbeddedServerFailed

if TYPE_CHECKING:
    from pwd import struct_passwd

_PORT = "5432"  # the default of drivers
_SOCKET = f".s.PGSQL.{_PORT}"
_LONGEST_SOCKET_PATH = 107  # bytes: the kernel's limit without the closing zero byte

# Order and letter case follow code points, so that they do not depend on the environment or the C library of the machine.
_INITDB = (
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--text-search-config=english",
    "--auth=trust",
    f"--username={SUPERUSER}",
    "--no-instructions",
)

_CONFIGURATION = """
# Written once by Aurum; change freely.
timezone = 'UTC'
log_timezone = 'UTC'
max_connections = 100
shared_buffers = '256MB'
effective_cache_size = '1GB'
work_mem = '16MB'
maintenance_work_mem = '128MB'
min_wal_size = '256MB'
max_wal_size = '2GB'
checkpoint_completion_target = 0.9
random_page_cost = 1.1
jit = off
"""

# The server must not be a child of this process: as one it would stay a zombie until this process ends.
_IN_THE_BACKGROUND = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


def launch(data: Path) -> int:
    """Start the server of a data folder, created if missing, and return its process id without waiting for it to be ready.

    The caller holds the lock of the folder and has checked that no server runs. Raises ``CalledProcessError``, ``OSError``.
    """
    account = account_for(data)
    data.parent.mkdir(parents=True, exist_ok=True)
    if account is not None:
        grant_access(account, data)
    if not (data / "PG_VERSION").exists():
        _create(data, account)
    elif account is not None:
        hand_over(data, account)
    _configure(data, account)
    sockets = _socket_folder(data, account)
    for lock in (data / "postmaster.pid", sockets / f"{_SOCKET}.lock"):
        _remove_stale_lock(lock)
    server = (program("postgres"), "-D", data, "-k", sockets, "-p", _PORT, "-h", "")
    return int(run(["/bin/sh", "-c", _IN_THE_BACKGROUND, "sh", data / "log", *server], account, detached=True))


def _create(data: Path, account: struct_passwd | None) -> None:
    """Write a new cluster beside its final path and rename it, so that an interrupted creation never looks complete."""
    for left_over in data.parent.glob(f"{data.name}.new-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    new = data.with_name(f"{data.name}.new-{os.getpid()}")
    new.mkdir(mode=0o700)
    if account is not None:
        os.chown(new, account.pw_uid, account.pw_gid)
    try:
        run([program("initdb"), *_INITDB, "-D", new], account)
        _configure(new, account)
        new.rename(data)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _configure(data: Path, account: struct_passwd | None) -> None:
    include = data / "aurum.conf"
    if include.exists():
        return
    include.write_text(_CONFIGURATION)
    include.chmod(0o644)
    if account is not None:
        os.chown(include, account.pw_uid, account.pw_gid)
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write("\ninclude_if_exists = 'aurum.conf'\n")


def _remove_stale_lock(lock: Path) -> None:
    """Remove the lock of a killed server if its process id exists, because PostgreSQL would take that process for the server.

    The process got the same id later, or it is the killed one, not yet collected by its parent. PostgreSQL itself removes locks
    whose process does not exist.
    """
    with suppress(FileNotFoundError):
        pid = lock.read_text().partition("\n")[0].strip()
        if pid.isdigit() and Path(f"/proc/{pid}").exists():
            lock.unlink()


def _socket_folder(data: Path, account: struct_passwd | None) -> Path:
    """Return the folder of the socket: the data folder, or a private one where that path is too long or has a comma."""
    if _fits(data):
        return data
    name = "aurum-" + hashlib.sha256(f"{data} {data.stat().st_ino}".encode(errors="surrogateescape")).hexdigest()[:16]
    folder = next(path for parent in (tempfile.gettempdir(), "/tmp") if _fits(path := Path(parent) / name))  # noqa: S108
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = os.geteuid() if account is None else account.pw_uid
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), owner):
        raise EmbeddedServerFailed(f"{folder} belongs to another user: remove it, or use a data folder with a shorter path")
    os.chown(folder, owner, -1, follow_symlinks=False)
    return folder


def _fits(folder: Path) -> bool:
    # PostgreSQL and its clients read a path with a comma as two folders.
    return "," not in str(folder) and len(os.fsencode(folder / _SOCKET)) <= _LONGEST_SOCKET_PATH
