"""``aurum up``: runs PostgreSQL, Valkey, the API and a worker on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import secrets
import shlex
import signal
import socket
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from aurum.cli.processes import Child
    from aurum.cli.servers import Server
    from aurum.cli.supervision import Restartable
    from aurum.common.settings import Settings

_READY_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.5
_EXAMPLE = "nyiso:damlbmp_zone:61761:lmp"


def register(app: typer.Typer) -> None:
    app.command("up")(up)


def up(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the API; 0 for any free port.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Folder of the embedded servers and local data.")] = None,
    sample: Annotated[bool, typer.Option("--sample/--no-sample", help="Load the sample data.")] = True,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Run a worker.")] = True,
) -> None:
    """Start PostgreSQL, Valkey, the API and a worker, with sample data. Ctrl-C stops them all."""
    from aurum.cli.render import console
    from aurum.cli.servers import servers_in_use, start_servers

    settings: Settings = context.obj
    if data_dir is not None:
        settings = settings.model_copy(update={"data_dir": data_dir})
    out = console()
    with _stop_requested() as stop, _exclusive_use(settings.data_dir), ExitStack() as stack:
        host, chosen = settings.api.host, _free_port(settings.api.host, settings.api.port if port is None else port)
        began = time.perf_counter()
        database, redis, servers = start_servers(settings, stack)
        _say(out, began, servers_in_use(settings))
        settings = settings.model_copy(update={"database": settings.database.model_copy(update={"url": database})})
        asyncio.run(_prepare(settings, sample=sample))
        _say(out, began, "the schema and the data are ready")
        state_file = settings.data_dir.resolve() / "up.state"
        state_file.unlink(missing_ok=True)
        variables = {
            "AURUM_DATA_DIR": str(settings.data_dir.resolve()),
            "AURUM_DATABASE__URL": database,
            "AURUM_HISTORY__URL": settings.history.url or str((settings.data_dir / "history").resolve()),
            "AURUM_REDIS__URL": redis,
            "AURUM_API__CURSOR_SECRET": _cursor_secret(settings),
            "AURUM_LOGGING__LEVEL": "WARNING" if settings.logging.level == "INFO" else settings.logging.level,
            "AURUM_SUPERVISION__STATE_FILE": str(state_file),
        }
        _serve(out, stop, began, settings, servers, variables, host=host, port=chosen, worker=worker, sample=sample)


def _serve(
    out: Console,
    stop: threading.Event,
    began: float,
    settings: Settings,
    servers: Sequence[Server],
    variables: dict[str, str],
    *,
    host: str,
    port: int,
    worker: bool,
    sample: bool,
) -> None:
    """Run the API and the worker until a stop is requested. ``variables``: their settings, as environment variables."""
    from aurum.cli import processes
    from aurum.cli.exit_codes import UNAVAILABLE

    url = f"http://{host}:{port}"
    children = [processes.Child("API", ["aurum.api", "serve", "--host", host, "--port", str(port)], variables)]
    if worker:
        children.append(processes.Child("worker", ["aurum.workers"], variables, is_needed=False))
    try:
        for child in children:
            child.start()
        if (failure := _wait_until_ready(url, children, stop)) is not None:
            out.print(f"{failure}: stopping all processes", style="red", markup=False)
            raise typer.Exit(UNAVAILABLE)
        if not stop.is_set():
            _say(out, began, "the API is ready")
            _greet(out, url, settings, sample=sample)
            _supervise(out, stop, began, settings, [*servers, *children], Path(variables["AURUM_SUPERVISION__STATE_FILE"]))
    finally:
        out.print("stopping all processes")
        processes.stop(children)


def _supervise(
    out: Console,
    stop: threading.Event,
    began: float,
    settings: Settings,
    members: Sequence[Restartable],
    state_file: Path,
) -> None:
    """Restart servers and processes that end, until a stop is requested. Raises ``GaveUp`` when a needed one ends too often."""
    from aurum.cli.supervision import Supervisor, write_state

    supervisor = Supervisor(members, settings.supervision, lambda line: _say(out, began, line))
    written: dict[str, str] = {}
    while not stop.is_set():
        if (state := supervisor.state()) != written:
            write_state(state_file, state)
            written = state
        stop.wait(_LOOK_EVERY_S)
        if not stop.is_set():
            supervisor.look()


async def _prepare(settings: Settings, *, sample: bool) -> None:
    """Bring the schema and the catalog up to date, and load the sample data."""
    from aurum.assembly.pipelines import Pipelines
    from aurum.assembly.postgres import open_store
    from aurum.assembly.upgrade import upgrade_store
    from aurum.cli.ingest import Verbosity, ingest_files
    from aurum.pipelines.loading.documents import FoundFiles
    from aurum.pipelines.loading.known_time import KnownAtPolicy
    from aurum.pipelines.loading.sample import sample_files

    await upgrade_store(settings, settings.database.url or "")
    async with open_store(settings) as store:
        pipelines = Pipelines(store)
        await pipelines.declare_catalog()
        if sample:
            await ingest_files(
                pipelines, FoundFiles(tuple(sample_files())), policy=KnownAtPolicy(), verbosity=Verbosity.SUMMARY
            )


def _greet(out: Console, url: str, settings: Settings, *, sample: bool) -> None:
    key, header = "", ""
    if settings.access.mode == "required":
        folder = shlex.quote(str(settings.data_dir))
        key = f"""
  a key (requests need one; it is shown once):
    aurum --data-dir {folder} keys create NAME
"""
        header = " -H 'X-API-Key: KEY'"
    example = "the first series in the store", "series?limit=5"
    if sample:
        day = f"series/{_EXAMPLE}/observations?start=2025-11-02&end=2025-11-03&tz=market"
        example = "NYISO day-ahead prices of New York City, on the day with 25 hours", day
    out.print(
        f"""
Aurum is at {url}
{key}
  {example[0]}:
    curl{header} '{url}/v2/{example[1]}'

  documentation   {url}/docs
  stop            Ctrl-C
""",
        markup=False,
    )


def _say(out: Console, began: float, text: str) -> None:
    """Print a line with the seconds since the start."""
    out.print(f"{time.perf_counter() - began:5.1f} s  {text}")


def _wait_until_ready(url: str, children: Sequence[Child], stop: threading.Event) -> str | None:
    """Wait until the API is ready or a stop is requested. Return a sentence about a process that ended before, else None."""
    import httpx

    from aurum.core.errors import Unavailable

    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        if stop.is_set():
            return None
        for child in children:
            if (how := child.ended()) is not None:
                return f"the {child.role} process ended at its start ({how})"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/ready", timeout=2.0, trust_env=False).status_code == httpx.codes.OK:
                return None
        stop.wait(0.1)
    raise Unavailable(f"the API was not ready within {_READY_WITHIN_S:.0f} s: see its log lines above")


@contextlib.contextmanager
def _stop_requested() -> Generator[threading.Event]:
    """Yield an event that the first SIGINT or SIGTERM sets. A second signal raises ``KeyboardInterrupt``."""
    stop = threading.Event()

    def request(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _exclusive_use(data_dir: Path) -> Generator[None]:
    """Hold the lock of the data folder. Raises ``Unavailable`` when another ``aurum up`` has it, or there can be no file."""
    from aurum.core.errors import Unavailable

    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "up.lock").open("a")
    except OSError as error:
        raise Unavailable(
            f"AURUM_DATA_DIR: {data_dir} cannot be used ({error.strerror}): name a folder that can be written to"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"aurum is already up on {data_dir}: stop it, or pass another --data-dir") from None
        yield


def _free_port(host: str, port: int) -> int:
    """Return the port, or any free port for 0. Raises ``Unavailable``."""
    from aurum.core.errors import Unavailable

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable(f"port {port} of {host} cannot be used ({error.strerror}): pass another --port") from error
        return probe.getsockname()[1]


def _cursor_secret(settings: Settings) -> str:
    """Return the secret of the settings, else that of the data folder, which is made at the first start."""
    if settings.api.cursor_secret is not None:
        return settings.api.cursor_secret.get_secret_value()
    path = settings.data_dir / "cursor.secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()
