"""The parts that install and start Trino, without Trino."""

import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

import pytest

from aurum.storage.embedded import guard, trino_files
from aurum.storage.embedded.bridge import Bridge
from aurum.storage.embedded.java import java
from aurum.storage.embedded.trino import configuration_folder
from aurum.storage.embedded.users import EmbeddedServerFailed
from aurum.storage.testing.waiting import wait_until_blocking

_STARTER = """
import subprocess, sys
guarded = subprocess.Popen([sys.executable, "-I", sys.argv[1], "sh", "-c", "echo $$; exec sleep 600"], stdin=subprocess.PIPE)
guarded.wait()
"""


@pytest.mark.needs_process
def test_a_guarded_program_does_not_outlive_a_starter_that_is_killed() -> None:
    starter = subprocess.Popen([sys.executable, "-c", _STARTER, guard.__file__], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert _runs(pid)
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    # The pipe of the output closes when the last of the processes has ended.
    assert starter.stdout.read() == b""
    starter.stdout.close()
    wait_until_blocking(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_bridge_carries_both_ways_and_ends() -> None:
    sent = os.urandom(300_000)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen()
        answering = threading.Thread(target=_echo, args=(listener,))
        answering.start()
        with Bridge(Path(folder) / "socket") as bridge:
            port = bridge.port
            with socket.create_connection(("127.0.0.1", port)) as near:
                sending = threading.Thread(target=near.sendall, args=(sent,))
                sending.start()
                received = b""
                while len(received) < len(sent):
                    received += near.recv(1 << 16)
                sending.join()
        answering.join(60)
    assert received == sent
    assert not answering.is_alive()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def _echo(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        while chunk := connection.recv(1 << 16):
            connection.sendall(chunk)


@pytest.mark.needs_process
def test_the_java_of_java_home_is_used_when_it_is_new_enough(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'openjdk version \"99.0.1\" 2026-01-01' >&2\n")
    program.chmod(0o755)
    environment = {"JAVA_HOME": str(tmp_path)}
    assert java(99, environment) == program
    with pytest.raises(EmbeddedServerFailed, match=r"needs Java 1000 or newer.*java is 99"):
        java(1000, environment)


def test_only_needed_files_of_an_archive_are_unpacked_with_those_that_they_share(tmp_path: Path) -> None:
    archive, folder = tmp_path / "server.tar.gz", tmp_path / "out"
    _write_archive(archive)
    trino_files.unpack(archive, folder)
    unpacked = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.jar")}
    assert unpacked == {"lib/a.jar": b"a", "plugin/iceberg/shared.jar": b"shared", "plugin/iceberg/a.jar": b"a"}
    assert not (tmp_path / "escaped").exists()


def test_incomplete_files_do_not_count_as_installed(tmp_path: Path) -> None:
    archive = tmp_path / "server.tar.gz"
    _write_archive(archive)
    assert not trino_files.is_installed(tmp_path)
    trino_files.unpack(archive, tmp_path / trino_files.VERSION)
    assert trino_files.is_installed(tmp_path)
    (tmp_path / trino_files.VERSION / "plugin" / "iceberg" / "shared.jar").write_bytes(b"sha")
    assert not trino_files.is_installed(tmp_path)


def _write_archive(path: Path) -> None:
    """Write an archive with two plugins, of which one is needed; they share a file, and one shares a file with the server."""
    with tarfile.open(path, "w:gz") as archive:

        def add(name: str, content: bytes = b"", link: str = "") -> None:
            member = tarfile.TarInfo(f"trino-server/{name}")
            if link:
                member.type, member.linkname = tarfile.LNKTYPE, f"trino-server/{link}"
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))

        add("lib/a.jar", b"a")
        add("plugin/hudi/shared.jar", b"shared")
        add("plugin/hudi/own.jar", b"own")
        add("plugin/iceberg/shared.jar", link="plugin/hudi/shared.jar")
        add("plugin/iceberg/a.jar", link="lib/a.jar")
        add("lib/../../escaped", b"no")


def test_the_configuration_has_every_catalog_and_no_password() -> None:
    folder = configuration_folder()
    assert {path.stem for path in (folder / "catalog").glob("*.properties")} == {"memory", "store", "tpch"}
    lines = [line for path in folder.rglob("*.properties") for line in path.read_text().splitlines()]
    secrets = [line for line in lines if "password" in line.partition("=")[0] or "secret" in line.partition("=")[0]]
    assert len(secrets) >= 3
    assert all(line.partition("=")[2].startswith("${ENV:") for line in secrets)
