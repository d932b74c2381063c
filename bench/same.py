"""The cheapest ASGI server: it sends the bytes and headers of one recorded answer to every request."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any


def create_same() -> Any:
    """Return an ASGI function that sends the answer in the JSON file ``SAME_ANSWER``: ``headers`` and ``body`` (base64)."""
    answer = json.loads(Path(os.environ["SAME_ANSWER"]).read_text())  # noqa: TID251 - uvicorn passes no arguments to a factory
    headers = [(name.encode(), value.encode()) for name, value in answer["headers"]]
    body = base64.b64decode(answer["body"])

    async def same(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return same
