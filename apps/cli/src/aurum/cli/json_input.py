"""JSON in arguments of commands: the text itself, or ``@`` and the path of a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast


def read_json(parameter: str, text: str) -> object:
    """Return the JSON of an argument. Raises ``InvalidParameters`` for a text that is not JSON, and for an unreadable file."""
    from aurum.core.errors import InvalidParameters

    try:
        return json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except OSError as error:
        raise InvalidParameters((parameter, f"cannot be read: {error.strerror or error}", text)) from error
    except ValueError as error:
        raise InvalidParameters((parameter, f"is not JSON: {error}", text[:100])) from error


def read_object(parameter: str, text: str) -> Mapping[str, object]:
    """Return the JSON object of an argument. Raises like ``read_json``."""
    from aurum.core.errors import InvalidParameters

    value = read_json(parameter, text)
    if not isinstance(value, dict):
        raise InvalidParameters((parameter, "must be a JSON object", text[:100]))
    return cast("Mapping[str, object]", value)
