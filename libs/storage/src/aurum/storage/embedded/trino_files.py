"""The program files of Trino, out of its server archive on the Maven repository this machine is set up with; kept for ever.

Of the archive's fifty connectors only those of ``infra/trino`` are kept: a third of its size. Files that several have in
common are hard links in the archive, often to a connector that is not kept, so it is read twice: who needs what, then what.
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
"""The newest whose server archive is published as a Maven artifact."""
LEAST_JAVA = 24
"""What that version says it needs."""

_ARTIFACT = f"io.trino:trino-server:{VERSION}:tar.gz"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
# geospatial: types that the connector of PostgreSQL asks for.
_PLUGINS = ("geospatial", "iceberg", "memory", "postgresql", "tpch")
_KEPT = ("lib/", *(f"plugin/{plugin}/" for plugin in _PLUGINS))
_LIST = "files.json"
_DOWNLOAD_S = 1_800.0


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where program files are kept, outside of any checkout."""
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "aurum" / "trino"


def program_files(cache: Path) -> Path:
    """The folder with ``lib`` and ``plugin``; the first time it is downloaded (820 MB), which takes minutes.

    Raises ``EmbeddedServerFailed`` when there is no Maven, or it cannot get the archive.
    """
    folder = cache / VERSION
    with _alone(cache):
        if not _complete(folder):
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder)
    return folder


def installed(cache: Path) -> bool:
    """Whether ``program_files`` would have nothing to do."""
    return _complete(cache / VERSION)


def unpack(archive: Path, folder: Path) -> None:
    """The kept part of a server archive into ``folder``, with a list of files and sizes to tell by whether all are there."""
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
    """Member with the bytes, and the names (below the archive's one folder) under which they are kept."""
    needed: dict[str, list[str]] = {}
    with tarfile.open(archive, "r|gz") as stream:
        for member in stream:
            _, _, name = member.name.partition("/")
            if name.startswith(_KEPT) and ".." not in name.split("/") and (member.isreg() or member.islnk()):
                needed.setdefault(member.linkname if member.islnk() else member.name, []).append(name)
    return needed


def _complete(folder: Path) -> bool:
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
        raise EmbeddedServerFailed("needs Maven (mvn) to get Trino, or its files in the cache")
    # -C: an archive whose checksum is not the published one is refused.
    command = [maven, "-B", "-ntp", "-q", "-C", _COPY, f"-Dartifact={_ARTIFACT}", f"-DoutputDirectory={folder}"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_DOWNLOAD_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise EmbeddedServerFailed(f"Maven did not get {_ARTIFACT} in {_DOWNLOAD_S:.0f} s") from error
    archive = folder / f"trino-server-{VERSION}.tar.gz"
    if run.returncode or not archive.is_file():
        said = [line for line in run.stdout.splitlines() if "ERROR" in line] or ["no reason given"]
        raise EmbeddedServerFailed(f"Maven cannot get {_ARTIFACT}: {said[0].removeprefix('[ERROR] ')}")
    return archive


@contextmanager
def _alone(cache: Path) -> Generator[None]:
    """One process at a time installs; the lock ends with its process."""
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
