"""SQLAlchemy statements, compiled once and run on the driver's connections.

Compiling a statement takes 250 µs, running it 35 µs more than the driver alone: so it is compiled the first time and its text
and the order of its parameters are kept. Where filters are optional, a statement is built for each combination of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from asyncpg import Record
from sqlalchemy import BindParameter, ColumnElement, bindparam
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from aurum.storage.postgres.connection.read_connections import Connection

_ESCAPE = "/"


@dataclass(frozen=True, slots=True)
class Statement:
    """``text``: with ``$1``, ``$2`` ... ``parameters``: their names, in that order. ``constants``: values that stand in the
    statement itself.
    """

    text: str
    parameters: tuple[str, ...]
    constants: dict[str, Any]

    async def fetch(self, connection: Connection, **values: object) -> Sequence[Record]:
        """Run the statement and return its rows. Raises ``KeyError`` for a parameter without a value."""
        return await connection.fetch(self.text, *self._arguments(values))

    async def execute(self, connection: Connection, **values: object) -> str:
        """Run the statement and return its command tag."""
        return await connection.execute(self.text, *self._arguments(values))

    def _arguments(self, values: dict[str, object]) -> list[object]:
        return [values[name] if name in values else self.constants[name] for name in self.parameters]


def compiled(clause: ClauseElement) -> Statement:
    """Compile a statement for the driver. Parameters are named by ``bindparam``; literals are bound, too.

    Raises ``ValueError`` for ``IN`` over a list, whose text would depend on the length of the list: use ``= ANY``.
    """
    dialect = PGDialect_asyncpg(paramstyle="numeric_dollar")
    made = cast("SQLCompiler", clause.compile(dialect=dialect))
    names = tuple(cast("Sequence[str]", made.positiontup or ()))  # pyright: ignore[reportUnknownMemberType]
    binds: dict[str, BindParameter[Any]] = {name: made.binds[name] for name in names}
    if lists := [name for name, bind in binds.items() if bind.expanding]:
        raise ValueError(f"parameters {lists} are lists: compare with = ANY")
    constants = {name: bind.value for name, bind in binds.items() if not bind.required}
    return Statement(made.string, names, constants)


def matching(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Compare a column with the parameter of its own name."""
    return column == bindparam(column.key)


def contains(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Search a column, in any case, for the text of a parameter that ``escaped`` has prepared."""
    return column.icontains(bindparam(parameter), escape=_ESCAPE)


def escaped(text: str) -> str:
    """Return a text to search for, with the characters that a pattern gives a meaning made plain."""
    for character in (_ESCAPE, "%", "_"):
        text = text.replace(character, _ESCAPE + character)
    return text


def present(values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the values that are not None: the filters that a statement is built with."""
    return tuple(name for name, value in values.items() if value is not None)
