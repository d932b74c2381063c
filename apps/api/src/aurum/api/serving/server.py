"""The server: uvicorn with an event loop that drains and a protocol that sends cached responses at once."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from aurum.api.process.drain import DrainingLoop
from aurum.api.serving.protocol import Protocol
from aurum.common.settings.limits import LimitsSettings

_GRACE_S = 25
"""Seconds for requests under way; orchestrators kill after 30 s."""

_ALIVE_S = 60
"""Seconds in which a worker must answer its parent, or it is killed and started anew. One that is starting cannot answer before
its modules are imported, which takes longer than uvicorn's five seconds on a busy machine: it would be killed for ever."""


class _Workers(Multiprocess):
    """uvicorn's parent of workers. It closes its sockets first: connections that workers no longer accept are then refused."""

    def terminate_all(self) -> None:
        for listening in self.sockets:
            listening.close()
        super().terminate_all()


def serve(app: str, settings: LimitsSettings, *, host: str, port: int, workers: int, **options: Any) -> None:
    """Serve an application, given as ``module:factory``, until SIGTERM or SIGINT. ``options``: of ``uvicorn.Config``."""
    # uvicorn takes the name of a loop or a factory; each worker makes its own loop.
    loop: Any = partial(DrainingLoop, settings)
    config = uvicorn.Config(
        app,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop=loop,
        http=Protocol,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_worker_healthcheck=_ALIVE_S,
        **options,
    )
    if workers > 1:
        _Workers(config, sockets=[config.bind_socket()]).run()
        return
    config.load_app()
    server = uvicorn.Server(config)
    # uvicorn sends the signal that stopped it again at the end.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(STARTUP_FAILURE)
