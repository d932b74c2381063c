"""The data folder of the embedded PostgreSQL: made whole or not at all, configured once, and started."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aurum.storage.embedded.account import account_for, hand_over, let_in
from aurum.storage.embedded.postmaster import SUPERUSER
from aurum.storage.embedded.programs import program, run
from aurum.storage.embedded.users import EmbeddedServerFailed

if TYPE_CHECKING:
    from pwd import struct_passwd

_PORT = "5432"  # which drivers take for granted
_SOCKET = f".s.PGSQL.{_PORT}"
_LONGEST_SOCKET_PATH = 107  # bytes: the kernel's limit without the closing zero

# Order and letter case by code point, the same on every machine: not what its environment or its C library happen to say.
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

# The server must not be our child: as one it would remain a zombie until we end.
_IN_THE_BACKGROUND = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


def launch(data: Path) -> int:
    """Start the server of a data folder, made first if need be, and return its process id at once: it may yet fail.

    The caller holds the lock of the folder, and has seen that no server runs. Raises ``CalledProcessError``, ``OSError``.
    """
    account = account_for(data)
    data.parent.mkdir(parents=True, exist_ok=True)
    if account is not None:
        let_in(account, data)
    if not (data / "PG_VERSION").exists():
        _make(data, account)
    elif account is not None:
        hand_over(data, account)
    _configure(data, account)
    sockets = _socket_folder(data, account)
    for lock in (data / "postmaster.pid", sockets / f"{_SOCKET}.lock"):
        _forget_the_dead(lock)
    server = (program("postgres"), "-D", data, "-k", sockets, "-p", _PORT, "-h", "")
    return int(run(["/bin/sh", "-c", _IN_THE_BACKGROUND, "sh", data / "log", *server], account, detached=True))


def _make(data: Path, account: struct_passwd | None) -> None:
    """Write a new cluster beside its place and move it there: an interrupted one never looks whole."""
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


def _forget_the_dead(lock: Path) -> None:
    """Remove a lock of a killed server that names a process: PostgreSQL would take that process for the server.

    It is one that got the number since, or the killed one where its parent does not collect it. PostgreSQL removes other locks.
    """
    with suppress(FileNotFoundError):
        pid = lock.read_text().partition("\n")[0].strip()
        if pid.isdigit() and Path(f"/proc/{pid}").exists():
            lock.unlink()


def _socket_folder(data: Path, account: struct_passwd | None) -> Path:
    """Return the data folder, or a private one with a short name where its path is no good for a socket."""
    if _fits(data):
        return data
    status = data.stat()
    name = "aurum-" + hashlib.sha256(f"{data} {status.st_ino}".encode(errors="surrogateescape")).hexdigest()[:16]
    folder = next(path for parent in (tempfile.gettempdir(), "/tmp") if _fits(path := Path(parent) / name))  # noqa: S108
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = os.geteuid() if account is None else account.pw_uid
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner):
        raise EmbeddedServerFailed(f"{folder} belongs to another user: remove it, or use a data folder with a shorter path")
    os.chown(folder, owner, -1, follow_symlinks=False)
    return folder


def _fits(folder: Path) -> bool:
    # PostgreSQL and its clients take what has a comma for two folders.
    return "," not in str(folder) and len(os.fsencode(folder / _SOCKET)) <= _LONGEST_SOCKET_PATH
