"""The least an ASGI server can do: an answer that another server gave, its bytes and headers, to whatever is asked."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any


def create_same() -> Any:
    """An ASGI function that gives what ``SAME_ANSWER`` names: a file with ``headers`` and ``body`` (base64)."""
    answer = json.loads(Path(os.environ["SAME_ANSWER"]).read_text())  # noqa: TID251 - how uvicorn's factory is told
    headers = [(name.encode(), value.encode()) for name, value in answer["headers"]]
    body = base64.b64decode(answer["body"])

    async def same(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return same
