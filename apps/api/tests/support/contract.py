"""The API's contract, for tests with a case for each part of it: reading the file is much faster than building the app."""

import json
from typing import Any

from aurum.common.contracts import contracts_directory


def contract() -> dict[str, Any]:
    """Return ``contracts/openapi.json``, which ``test_openapi_is_complete`` compares with what is served."""
    document: dict[str, Any] = json.loads((contracts_directory(None) / "openapi.json").read_text(encoding="utf-8"))
    return document
