"""The loop of a fork server: what its children have, and what else may end in its process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from aurum.common.forking.server import READY, REQUEST

pytestmark = pytest.mark.needs_process

_SERVER = """
import os, socket, subprocess, sys
from aurum.common.forking.server import ForkServer

shared, other = map(int, sys.argv[1:])

def work(connection, server):
    def is_open(descriptor):
        try:
            os.fstat(descriptor)
            return True
        except OSError:
            return False
    connection.sendall(str([is_open(shared), is_open(other)]).encode())

def start():
    subprocess.Popen(["true"])  # it ends while the server runs, and is none of its children
    return [shared]

other_process = subprocess.Popen(["sleep", "600"])
with socket.socket(fileno=os.dup(0)) as control:
    ForkServer(control, work, start).serve()
other_process.kill()  # as a process that is shared and ends after the server
other_process.wait()
"""


@pytest.mark.parametrize("flags", [0, socket.MSG_PEEK])
def test_children_keep_what_is_shared_and_nothing_else_and_other_processes_may_end(flags: int) -> None:
    control, of_server = socket.socketpair()
    pipes = os.pipe()
    arguments = [sys.executable, "-c", _SERVER, *map(str, pipes)]
    with control, of_server:
        server = subprocess.Popen(arguments, stdin=of_server.fileno(), stderr=subprocess.PIPE, pass_fds=pipes)
        of_server.close()
        assert control.recv(1, flags) == READY
        for _ in range(3):
            assert _answer_of_a_child(control) == "[True, False]"
    _, said = server.communicate(timeout=60)
    assert (server.returncode, said) == (0, b"")
    for end in pipes:
        os.close(end)


def _answer_of_a_child(control: socket.socket) -> str:
    connection, of_child = socket.socketpair()
    report, of_server = socket.socketpair()
    with connection, report, of_child, of_server, open(os.devnull, "w") as errors:
        socket.send_fds(control, [REQUEST], [of_child.fileno(), of_server.fileno(), errors.fileno()])
        of_child.close()
        of_server.close()
        answer = connection.recv(100).decode()
        assert '"status": 0' in report.recv(4096).decode()
    return answer
