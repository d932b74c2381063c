"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

from aurum.api.contract.changes import change_document
from aurum.services.changes import position_text
from aurum.storage.ports.recordings import ChangeEntry, ChangePosition

COMMENT = b":\n\n"


def event(entry: ChangeEntry) -> bytes:
    """Return an entry as an event, with its position as id."""
    text = change_document(entry).model_dump_json()
    return f"id: {position_text(entry.position)}\nevent: change\ndata: {text}\n\n".encode()


def position(at: ChangePosition) -> bytes:
    """Return an id without an event: a client that connects again resumes from it."""
    return f"id: {position_text(at)}\n\n".encode()


def retry(seconds: float) -> bytes:
    """Return the field that says after how long a client connects again when the stream has ended."""
    return f"retry: {seconds * 1000:.0f}\n\n".encode()
