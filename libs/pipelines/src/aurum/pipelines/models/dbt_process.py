"""``python -m aurum.pipelines.models.dbt_process``: runs dbt in a process that ends when its parent process ends."""

from __future__ import annotations

import ctypes
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def main() -> None:
    """Run dbt with the arguments of this process. On SIGTERM dbt cancels its running queries, as it does on Ctrl-C."""
    from dbt.cli.main import cli

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    cli()


if __name__ == "__main__":
    main()
