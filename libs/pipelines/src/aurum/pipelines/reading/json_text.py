"""Reads JSON documents with every number as the text that the file has, so that numbers go through the reader of numbers."""

from __future__ import annotations

import json
import re
from typing import cast

from aurum.pipelines.source import RefusedFile, SourceFile

_SURROGATE = re.compile("[\ud800-\udfff]")
# Half of a character cannot be stored. This one can, and no id may hold it.
_NO_CHARACTER = "\uffff"


class Number(str):
    """The text of a JSON number."""

    __slots__ = ()


def read_json(document: SourceFile) -> object:
    """Return the document's value; its numbers are ``Number`` texts.

    Raises ``RefusedFile``, with the line if known, when it is not well-formed JSON.
    """
    try:
        value: object = json.loads(document.text, parse_float=Number, parse_int=Number, parse_constant=Number)
        # Only an escape can bring half of a character in.
        return _storable(value) if "\\ud" in document.text.lower() else value
    except json.JSONDecodeError as error:
        raise RefusedFile(f"not well-formed JSON: {error.msg}", line=error.lineno) from error
    except RecursionError as error:
        raise RefusedFile("not an answer that can be read: its lists or objects are nested too deeply") from error


def as_json(value: object) -> str:
    """Return a value that ``read_json`` returned as JSON text, with its numbers as they are in the file."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(as_json(item) for item in cast('list[object]', value))}]"
    if isinstance(value, dict):
        members = cast("dict[str, object]", value).items()
        return f"{{{', '.join(f'{json.dumps(key)}: {as_json(item)}' for key, item in members)}}}"
    return json.dumps(value)


def _storable(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Number):
        return _SURROGATE.sub(_NO_CHARACTER, value)
    if isinstance(value, list):
        return [_storable(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in cast("dict[object, object]", value).items()}
    return value
