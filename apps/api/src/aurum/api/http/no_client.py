"""The request side of a request that the service makes of itself: cached responses that are renewed, golden queries."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive


def no_client() -> Receive:
    """Return the messages of a request that no client sent: an empty body, and then none, for as long as the answer takes.

    A streamed answer listens for the end of its connection until it is complete. If each message came at once, it would ask
    for the next one without a pause, and no other task of the process would run again.
    """
    body: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        return body.pop() if body else await asyncio.get_running_loop().create_future()

    return receive
