"""SQLAlchemy statements, compiled once and run on the driver's connections.

Compiling a statement takes 250 µs, running it 35 µs more than the driver alone. So callers cache the compiled text and the
order of its parameters. Where filters are optional, a statement is compiled for each combination of them.
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
    """A compiled statement.

    ``text``: SQL with ``$1``, ``$2`` ... ``parameters``: their names, in that order. ``constants``: values of the parameters
    that the statement itself sets.
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
    """Compile a statement for the driver. ``bindparam`` names its parameters; literals are bound too.

    Raises ``ValueError`` for ``IN`` over a list, because its text would depend on the length of the list.
    """
    dialect = PGDialect_asyncpg(paramstyle="numeric_dollar")
    compilation = cast("SQLCompiler", clause.compile(dialect=dialect))
    names = tuple(cast("Sequence[str]", compilation.positiontup or ()))  # pyright: ignore[reportUnknownMemberType]
    binds: dict[str, BindParameter[Any]] = {name: compilation.binds[name] for name in names}
    if lists := [name for name, bind in binds.items() if bind.expanding]:
        raise ValueError(f"parameters {lists} are lists in an IN clause: compare with = ANY instead")
    constants = {name: bind.value for name, bind in binds.items() if not bind.required}
    return Statement(compilation.string, names, constants)


def matching(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the comparison of a column with the parameter of the same name."""
    return column == bindparam(column.key)


def contains(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Return a case-insensitive search of a column for the text of a parameter, which ``escaped`` must have prepared."""
    return column.icontains(bindparam(parameter), escape=_ESCAPE)


def escaped(text: str) -> str:
    """Return a search text in which the special characters of patterns are escaped."""
    for character in (_ESCAPE, "%", "_"):
        text = text.replace(character, _ESCAPE + character)
    return text


def filter_names(values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the values that are not None: the filters of a statement."""
    return tuple(name for name, value in values.items() if value is not None)
