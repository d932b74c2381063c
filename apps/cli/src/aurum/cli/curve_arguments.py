"""Readers of a tenant, and the form of arguments and numbers, for all commands of curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.services.curves import CurveReading


def curve_reading(store: Store, tenant: str | None) -> CurveReading:
    """Return the readers of shared curves and those of a tenant; None: shared ones only."""
    from aurum.assembly.services import reading
    from aurum.services.curves import CurveReading

    return CurveReading(store.curves, reading(store), tenant, None if tenant is None else store.private.of(tenant).loaded)


def name_and_value(text: str, option: str) -> tuple[str, str]:
    """Return the parts of an option such as ``NAME=VALUE``. Raises ``InvalidParameters``."""
    from aurum.core.errors import InvalidParameters

    name, separator, value = (part.strip() for part in text.partition("="))
    if not (name and separator and value):
        raise InvalidParameters((option, "write it as NAME=VALUE", text))
    return name, value


def number(value: float | None) -> str:
    """Return a number for a table, with six decimals at most; empty for None."""
    return "" if value is None else f"{value:,.6f}".rstrip("0").rstrip(".")
