"""Private hooks of uvicorn that the server uses: each exists, is called as before, and sets what the server reads.

When one of these fails after uvicorn was raised, compare ``aurum.api.serving`` and ``process.drain`` with its new code,
then move the bound in the root pyproject.
"""

from __future__ import annotations

import asyncio
import inspect
import signal
import socket
from collections.abc import Callable

import httptools
import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState
from uvicorn.supervisors import Multiprocess

from aurum.api.serving.protocol import Protocol

SIGNATURES = {
    HttpToolsProtocol.__init__: ["self", "config", "server_state", "app_state", "_loop"],
    HttpToolsProtocol.connection_made: ["self", "transport"],
    HttpToolsProtocol.connection_lost: ["self", "exc"],
    HttpToolsProtocol.data_received: ["self", "data"],
    HttpToolsProtocol.on_message_begin: ["self"],
    HttpToolsProtocol.on_headers_complete: ["self"],
    HttpToolsProtocol.on_body: ["self", "body"],
    HttpToolsProtocol.on_message_complete: ["self"],
    HttpToolsProtocol.on_response_complete: ["self"],
    HttpToolsProtocol.pause_writing: ["self"],
    HttpToolsProtocol.resume_writing: ["self"],
    HttpToolsProtocol.shutdown: ["self"],
    HttpToolsProtocol._should_upgrade: ["self"],
    HttpToolsProtocol._start_asgi_task: ["self", "cycle", "app"],
    Multiprocess.terminate_all: ["self"],
    uvicorn.Server.handle_exit: ["self", "sig", "frame"],
    uvicorn.Config.bind_socket: ["self"],
    uvicorn.Config.load_app: ["self"],
}


@pytest.mark.parametrize(("hook", "parameters"), SIGNATURES.items(), ids=lambda one: getattr(one, "__qualname__", ""))
def test_a_hook_of_uvicorn_is_called_as_it_was(hook: Callable[..., object], parameters: list[str]) -> None:
    assert list(inspect.signature(hook).parameters) == parameters


@pytest.mark.parametrize("name", [name for name, one in vars(Protocol).items() if inspect.isfunction(one)])
def test_a_hook_that_is_overridden_is_checked_here(name: str) -> None:
    hook = getattr(HttpToolsProtocol, name, None)
    assert hook is None or hook in SIGNATURES


async def test_the_protocol_sets_what_ours_reads() -> None:
    config = uvicorn.Config(lambda: None, lifespan="off", log_config=None)
    config.load()
    state: dict[str, object] = {}
    protocol = HttpToolsProtocol(config, ServerState(), state)
    assert protocol.app_state is state
    assert isinstance(protocol.parser, httptools.HttpRequestParser)
    assert protocol.cycle is None
    assert len(protocol.pipeline) == 0
    assert isinstance(protocol.server_state.default_headers, list)
    protocol.on_message_begin()
    assert (protocol.url, protocol.headers, protocol.expect_100_continue) == (b"", [], False)
    protocol.on_header(b"Host", b"localhost")
    assert protocol.headers == [(b"host", b"localhost")]
    assert "headers" in protocol.scope
    assert protocol.scope["headers"] is protocol.headers


def test_a_cycle_says_whether_it_is_complete_and_takes_that_its_connection_ends() -> None:
    parameters = dict.fromkeys(list(inspect.signature(RequestResponseCycle.__init__).parameters)[1:])
    cycle = RequestResponseCycle(**parameters | {"keep_alive": True})  # type: ignore[arg-type]
    assert (cycle.keep_alive, cycle.response_started, cycle.response_complete, cycle.disconnected) == (
        True,
        False,
        False,
        False,
    )


def test_flow_control_says_whether_writing_is_paused() -> None:
    flow = FlowControl(asyncio.Transport())
    assert flow.write_paused is False
    flow.pause_writing()
    assert flow.write_paused is True
    assert flow.read_paused is False


def test_the_parent_of_workers_has_its_sockets_under_that_name() -> None:
    sockets: list[socket.socket] = []
    assert Multiprocess(uvicorn.Config(lambda: None, workers=2, log_config=None), sockets).sockets is sockets


def test_sigterm_is_handled_by_a_method_of_the_server() -> None:
    server = uvicorn.Server(uvicorn.Config(lambda: None, lifespan="off", log_config=None))
    before = signal.getsignal(signal.SIGTERM)
    with server.capture_signals():
        handler = signal.getsignal(signal.SIGTERM)
    assert getattr(handler, "__self__", None) is server
    assert signal.getsignal(signal.SIGTERM) is before
