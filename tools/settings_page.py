"""Writes the guide of all settings, ``docs/guides/settings.md``, from their descriptions in the code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from aurum.common.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs/guides/settings.md"
_PREFIX = "AURUM_"
_BEGINNING = """\
# All settings

Every process reads its settings from environment variables, and from the file `.env` in the folder where it starts. The
environment wins. A process refuses to start with a variable that begins with `AURUM_` and is not a setting, or with a value
that is not accepted: one line names the variable and what is accepted. Lists are JSON. Times whose name ends with `_S` are
in seconds.

This page is written from the code (`tools/settings_page.py`). [Operating Aurum](operating.md) explains the settings that a
deployment needs.
"""


def page() -> str:
    """Return the guide: a table of the settings that stand alone, and one for each group."""
    general: list[str] = []
    groups: list[str] = []
    for name, field in Settings.model_fields.items():
        if (model := _group(field)) is None:
            general.append(_row(_PREFIX, name, field))
        else:
            prefix = f"{_PREFIX}{name.upper()}__"
            groups.append(_table(f"`{prefix}*`", list(_rows(model, prefix))))
    return "\n".join((_BEGINNING, _table("General", general), *groups))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def _group(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a group of settings; None for a setting."""
    model = field.annotation
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _rows(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if (inner := _group(field)) is None:
            yield _row(prefix, name, field)
        else:
            yield from _rows(inner, f"{prefix}{name.upper()}__")


def _row(prefix: str, name: str, field: FieldInfo) -> str:
    variable = prefix + (field.alias or name).upper()
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{variable}` | {_default(field)} | {meaning} |"


def _default(field: FieldInfo) -> str:
    """Return the default as a variable would have it; empty for none."""
    value = to_jsonable_python(field.get_default(call_default_factory=True))
    if value in (None, "", []):
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _table(title: str, rows: list[str]) -> str:
    return "\n".join((f"## {title}", "", "| variable | default | meaning |", "|---|---|---|", *rows, ""))


if __name__ == "__main__":
    main()
