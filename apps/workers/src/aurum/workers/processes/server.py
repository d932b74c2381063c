"""``python -m aurum.workers.processes.server``: the ready job process. It imports the jobs and forks a child for each one.

Standard input is the control socket (``aurum.common.forking.server``), on which the worker first sends its settings: they hold
passwords, which neither arguments nor variables of a process should show.
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
from typing import Any

from aurum.common.forking.server import ForkServer
from aurum.common.telemetry.logging import configure_logging
from aurum.workers.export import preload_exporters
from aurum.workers.jobs import Jobs, ProcessJobs
from aurum.workers.processes.child import run_attempt
from aurum.workers.processes.setup import Setup


def main() -> None:
    """Import the jobs, then serve until the control socket ends."""
    # A signal to all processes of a terminal or a service reaches the worker, too, which then ends the jobs in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.socket(fileno=os.dup(0)) as control:
        setup = Setup.receive(control)
        settings = setup.settings
        configure_logging(settings.logging)
        preload_exporters(settings)
        jobs: Jobs = _called(setup.jobs)
        process_jobs: ProcessJobs = _called(jobs.process)

        def attempt(connection: socket.socket, server: int) -> None:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            run_attempt(process_jobs, jobs.definitions, settings, connection, server)

        ForkServer(control, attempt, lambda: process_jobs.shared(settings)).serve()


def _called(path: str) -> Any:
    """Return the value of a function without arguments. ``path``: ``module:function``."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)()


if __name__ == "__main__":
    main()
