"""``python -m aurum.pipelines.models.dbt_process``: runs dbt in a process that ends when its parent process ends."""

from __future__ import annotations

import signal

from aurum.common.parent_death import signal_on_parent_death


def main() -> None:
    """Run dbt with the arguments of this process. On SIGTERM dbt cancels its running queries, as it does on Ctrl-C."""
    from dbt.cli.main import cli

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal_on_parent_death(signal.SIGTERM)
    cli()


if __name__ == "__main__":
    main()
