"""The program files of Trino, unpacked once from its server archive, which Maven downloads from its configured repository.

Of the archive's fifty connectors only those of ``infra/trino`` are unpacked, a third of its size. A file that connectors share
is a hard link in the archive, often to a connector that is left out. So the archive is read twice: first for the names under
which each file is needed, then for the files.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aurum.storage.embedded.users import EmbeddedServerFailed

VERSION = "476"
"""The newest version whose server archive is published as a Maven artifact."""
LEAST_JAVA = 24
"""The Java version that this version requires."""

_ARTIFACT = f"io.trino:trino-server:{VERSION}:tar.gz"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
# geospatial: the PostgreSQL connector needs its types.
_PLUGINS = ("geospatial", "iceberg", "memory", "postgresql", "tpch")
_UNPACKED = ("lib/", *(f"plugin/{plugin}/" for plugin in _PLUGINS))
_LIST = "files.json"
_DOWNLOAD_S = 1_800.0


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the program files, outside of any checkout."""
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "aurum" / "trino"


def program_files(cache: Path) -> Path:
    """Return the folder with ``lib`` and ``plugin``; the first call downloads 820 MB, which takes minutes.

    Raises ``EmbeddedServerFailed`` if Maven is missing or cannot download the archive.
    """
    folder = cache / VERSION
    with _install_lock(cache):
        if not _is_complete(folder):
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder)
    return folder


def is_installed(cache: Path) -> bool:
    """Return whether the program files are complete, so that ``program_files`` downloads nothing."""
    return _is_complete(cache / VERSION)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the needed part of a server archive, and write a list of files and sizes to check it by."""
    needed = _needed(archive)
    sizes: dict[str, int] = {}
    with tarfile.open(archive, "r|gz") as stream:
        for member in stream:
            source = stream.extractfile(member) if member.isreg() and member.name in needed else None
            if source is None:
                continue
            first, *others = (folder / name for name in needed[member.name])
            first.parent.mkdir(parents=True, exist_ok=True)
            with first.open("wb") as target:
                shutil.copyfileobj(source, target)
            for other in others:
                other.parent.mkdir(parents=True, exist_ok=True)
                other.hardlink_to(first)
            sizes |= dict.fromkeys(needed[member.name], member.size)
    (folder / _LIST).write_text(json.dumps(sizes))


def _needed(archive: Path) -> dict[str, list[str]]:
    """Return, by archive member, the names to which its bytes are unpacked, relative to the archive's one folder."""
    needed: dict[str, list[str]] = {}
    with tarfile.open(archive, "r|gz") as stream:
        for member in stream:
            _, _, name = member.name.partition("/")
            if name.startswith(_UNPACKED) and ".." not in name.split("/") and (member.isreg() or member.islnk()):
                needed.setdefault(member.linkname if member.islnk() else member.name, []).append(name)
    return needed


def _is_complete(folder: Path) -> bool:
    try:
        sizes: dict[str, int] = json.loads((folder / _LIST).read_text())
        return bool(sizes) and all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _install(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as work:
        archive = _download(Path(work))
        whole = Path(work) / "whole"
        unpack(archive, whole)
        whole.rename(folder)


def _download(folder: Path) -> Path:
    maven = shutil.which("mvn")
    if maven is None:
        raise EmbeddedServerFailed("the embedded Trino needs Maven (mvn) to download its program files: install Maven")
    # -C: Maven refuses an archive whose checksum differs from the published one.
    command = [maven, "-B", "-ntp", "-q", "-C", _COPY, f"-Dartifact={_ARTIFACT}", f"-DoutputDirectory={folder}"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_DOWNLOAD_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise EmbeddedServerFailed(f"Maven did not download {_ARTIFACT} within {_DOWNLOAD_S:.0f} s: try again") from error
    archive = folder / f"trino-server-{VERSION}.tar.gz"
    if run.returncode or not archive.is_file():
        errors = [line for line in run.stdout.splitlines() if "ERROR" in line] or ["it gave no reason"]
        raise EmbeddedServerFailed(f"Maven cannot download {_ARTIFACT}: {errors[0].removeprefix('[ERROR] ')}")
    return archive


@contextmanager
def _install_lock(cache: Path) -> Generator[None]:
    """Hold the lock of the one process that installs; the system releases it when that process ends."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(cache / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise EmbeddedServerFailed(f"{cache} cannot be used: {error.strerror}", folder=str(cache)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
