"""Arguments and options, readers of a tenant, and the form of numbers, for all commands of curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.option_values import day_of

if TYPE_CHECKING:
    from datetime import date

    from aurum.assembly.store import Store
    from aurum.services.curves import CurveReading

Key = Annotated[str, typer.Argument(help="Key of a curve, e.g. power:DE:base:EEX.")]
Keys = Annotated[list[str], typer.Argument(help="Keys of curves, or patterns such as 'power:DE:*'.")]
TradeDate = Annotated[str, typer.Option("--trade-date", help="YYYY-MM-DD, latest or previous.")]
Earlier = Annotated[str, typer.Option("--a", help="Earlier trade date: YYYY-MM-DD, or previous.")]
Later = Annotated[str, typer.Option("--b", help="Later trade date: YYYY-MM-DD, or latest.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only periods of this kind: month, quarter, year ...")]
Field = Annotated[
    str,
    typer.Option("--field", help="Price: settle, bid, ask, mid ...; price, the settlement, else the mean of bid and ask."),
]
Roll = Annotated[str, typer.Option("--roll", help="calendar, last_trading_day or days_before:n.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Quotes as they were known at this time (UTC).")]
AsLoaded = Annotated[
    str | None, typer.Option("--as-loaded", help="The store with the files loaded up to this time, whatever came since.")
]
UnitText = Annotated[str | None, typer.Option("--unit", help="Convert prices to this unit, e.g. USD/MMBtu.")]
CurrencyCode = Annotated[
    str | None, typer.Option("--currency", help="Convert prices at the ECB's rate of each trade date, e.g. USD.")
]
Tenant = Annotated[str, typer.Option("--tenant", help="Tenant whose own curves may be named beside the shared ones.")]


def curve_reading(store: Store, tenant: str | None) -> CurveReading:
    """Return the readers of shared curves and those of a tenant; None: shared ones only."""
    from aurum.assembly.services import reading
    from aurum.services.curves import CurveReading

    return CurveReading(store.curves, reading(store), tenant, None if tenant is None else store.private.of(tenant).loaded)


def trade_day(text: str, option: str) -> date | str:
    """Return the trade date of an option, or ``latest`` or ``previous``. Raises ``InvalidParameters``."""
    from aurum.services.curves import LATEST, PREVIOUS

    return text if text in (LATEST, PREVIOUS) else day_of(text, option)


def number(value: float | None) -> str:
    """Return a number for a table, with six decimals at most; empty for None."""
    return "" if value is None else f"{value:,.6f}".rstrip("0").rstrip(".")
