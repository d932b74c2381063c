"""The system account of the embedded PostgreSQL: its creation, and processes that need it at once."""

from __future__ import annotations

import os
import pwd
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aurum.storage.embedded import account
from aurum.storage.embedded.account import NAME, account_for
from aurum.storage.embedded.users import EmbeddedServerFailed


class Accounts:
    """A machine's accounts, with a ``useradd`` that replaces an account created after it looked, as the real one does."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.looked = threading.Semaphore(0)

    def getpwnam(self, name: str) -> pwd.struct_passwd:
        assert name == NAME
        if not self.numbers:
            self.looked.release()
            raise KeyError(name)
        return pwd.struct_passwd((name, "x", self.numbers[-1], 999, "", "/", "/bin/false"))

    def useradd(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[0] == "useradd"
        if not self.numbers:
            # This creation has looked twice; it goes on when the other one has looked as well.
            for _look in range(3):
                assert self.looked.acquire(timeout=60)
        self.numbers.append(999 - len(self.numbers))
        return subprocess.CompletedProcess(command, 0)


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Accounts:
    accounts = Accounts()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", accounts.getpwnam)
    monkeypatch.setattr(subprocess, "run", accounts.useradd)
    monkeypatch.setattr(account, "_CREATION_LOCK", tmp_path / "lock")
    return accounts


def test_servers_that_start_at_once_on_a_new_machine_create_one_account(accounts: Accounts, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(account_for, [tmp_path / "a", tmp_path / "b"]))
    assert accounts.numbers == [999]
    assert [one.pw_uid for one in made if one is not None] == [999, 999]


def test_an_account_that_cannot_be_created_is_named_with_the_reason(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        raise subprocess.CalledProcessError(10, command, stderr="useradd: cannot lock /etc/passwd; try again later.\n")

    monkeypatch.setattr(subprocess, "run", refused)
    with pytest.raises(EmbeddedServerFailed, match=r"embedded_postgres cannot be created .*cannot lock /etc/passwd"):
        account_for(tmp_path / "a")
