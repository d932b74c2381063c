"""One attempt of a job, in a process of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

from aurum.common.forking.limits import limit_this_process
from aurum.common.settings import Settings
from aurum.common.telemetry.work import in_carried_work
from aurum.services.jobs.definition import Definitions
from aurum.services.jobs.running import JobTransaction, Result
from aurum.storage.ports.jobs import ClaimLost
from aurum.workers.export import exported_traces
from aurum.workers.failures import Failure
from aurum.workers.jobs import ProcessJobs
from aurum.workers.processes.messages import Message, encoded, receive


class Attempt:
    """``RunningJob`` in the process of a job."""

    def __init__(self, message: Message, connection: socket.socket) -> None:
        self.job_id: str = message["job_id"]
        self.attempt: int = message["attempt"]
        self.attempts: int = message["attempts"]
        self.tenant: str | None = message["tenant"]
        self.subject: str = message["subject"]
        self.is_recorded = False
        self._connection = connection

    async def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Pass progress on to the worker, which writes it to the log at most once a second.

        The worker ends this process when another attempt runs.
        """
        self.send({"progress": [done, total, note]})
        await asyncio.sleep(0)

    async def succeed(self, tx: JobTransaction, result: Result = None) -> None:
        """Record success in the transaction of the effect. Raises ``ClaimLost``."""
        await tx.jobs.succeed(self.job_id, self.attempt, result)
        self.is_recorded = True

    def count(self, metric: str, label: str, amount: float) -> None:
        """Add to a counter of the worker."""
        self.send({"count": [metric, label, amount]})

    def send(self, message: Message) -> None:
        """Send a message to the worker."""
        self._connection.sendall(encoded(message))


def run_attempt(
    jobs: ProcessJobs, definitions: Definitions, settings: Settings, connection: socket.socket, server: int
) -> None:
    """Receive a job, run one attempt of it and send how it ended. This process ends when the function returns."""
    message = receive(connection)
    if message is None:
        return  # the worker ended
    limit_this_process(parent=server, memory_bytes=message["memory_bytes"], processor_s=message["processor_s"])
    if "prepare" in message:
        connection.sendall(encoded(_run(jobs.prepare(settings), lambda: False)))
        return
    attempt = Attempt(message, connection)
    with ExitStack() as stack:
        stack.enter_context(exported_traces(settings))
        stack.enter_context(in_carried_work(message["carried"]))
        end = _run(_result(jobs, definitions, settings, message, attempt), lambda: attempt.is_recorded)
    try:
        bytes_of_end = encoded(end)
    except (TypeError, ValueError) as error:
        bytes_of_end = encoded({"end": "failed", "failure": Failure.of(error).as_message()})
    connection.sendall(bytes_of_end)


async def _result(
    jobs: ProcessJobs, definitions: Definitions, settings: Settings, message: Message, attempt: Attempt
) -> Result:
    payload = definitions[message["name"]].read(message["payload"])
    async with jobs.opened(settings, attempt.count) as functions:
        return await functions[message["name"]](payload, attempt)


def _run(work: Coroutine[Any, Any, Result], is_recorded: Callable[[], bool]) -> dict[str, Any]:
    """Run the coroutine of an attempt until it ends; SIGTERM cancels it. Return the message about its end.

    Threads that it started are not waited for: the process ends at once.
    """
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        result = loop.run_until_complete(task)
    except asyncio.CancelledError:
        return {"end": "cancelled"}
    except ClaimLost:
        return {"end": "lost"}
    except MemoryError:
        raise  # the limit of this process: it ends with the exit code that says so
    except Exception as error:  # noqa: BLE001 - every failure of a job is reported to the worker, which decides
        return {"end": "failed", "failure": Failure.of(error).as_message()}
    return {"end": "succeeded", "result": result, "recorded": is_recorded()}
