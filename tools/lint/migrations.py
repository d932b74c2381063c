"""Lint of migrations: none may disturb running processes, so each must keep to its ``kind`` (see docs/adr/0024).

An ``expand`` migration only adds things that older code does not see, and holds no lock for long. A ``contract`` migration
removes things, and raises the floor first. The lint checks Alembic operations and SQL in strings, except in ``downgrade``, and
refuses those that it cannot parse.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ROOT / "libs/storage/src/aurum/storage/migrations/versions"
FIRST = 7
"""The first revision that the rule applies to; earlier ones have the kind ``historical``."""
LONGEST_LOCK_MS = 5_000

KINDS = ("expand", "contract")
_REWRITES = {"rewrite_rows", "rewrite_in_steps", "rewrite_series"}
_ALONE = {"create_index_concurrently", *_REWRITES}
_CONSTRAINTS = {
    "create_unique_constraint",
    "create_check_constraint",
    "create_foreign_key",
    "create_primary_key",
    "create_exclude_constraint",
}
_HARMLESS_ALTER = {"server_default", "comment", "schema", "nullable", "existing_type", "existing_nullable"}
_HARMLESS_ALTER |= {"existing_server_default", "existing_comment"}
_BY_ROW = r"random|clock_timestamp|timeofday|nextval|gen_random_uuid|uuidv\d"
_NAME = r'(?:"[^"]+"|[^\s(;,]+)'

_FORBIDDEN_SQL = (
    (r"\bDROP\s+(?!NOT\s+NULL\b)\w", "DROP removes something that older code may read"),
    (r"\bTRUNCATE\b", "TRUNCATE removes rows that older code may read"),
    (r"\bRENAME\s+\S", "RENAME removes a name that older code uses"),
    (rf"\bALTER\s+(?:COLUMN\s+)?{_NAME}\s+(?:SET\s+DATA\s+)?TYPE\b", "a new type rewrites the table while older code uses it"),
    (r"\bSET\s+NOT\s+NULL\b", "SET NOT NULL refuses rows that older code writes"),
    (r"\bLOCK\s+TABLE\b", "LOCK TABLE blocks all users of the table"),
)
_ALTER_TABLE = rf"\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?({_NAME})([^;]*)"
_CREATE_INDEX = rf"\bCREATE\s+(?:UNIQUE\s+)?INDEX\b[^;]*?\bON\s+(?:ONLY\s+)?({_NAME})"
_NOT_NULL, _DEFAULT = r"\bNOT\s+NULL\b", r"\bDEFAULT\b(?!\s+NULL\b)"
_USE_INDEX = "an index on a table in use: call create_index_concurrently, which can be run again"
_USE_REWRITE = "rows are rewritten in one transaction: call rewrite_rows with a statement that has a LIMIT"


@dataclass(frozen=True, slots=True)
class Text:
    """A string in a module. ``node``: its AST node. Parts that are known only at run time are ``{}``."""

    node: ast.AST
    line: int
    text: str

    @property
    def sql(self) -> str:
        """The text without SQL comments, on one line."""
        return " ".join(re.sub(r"--[^\n]*|/\*.*?\*/", " ", self.text, flags=re.DOTALL).split())


Findings = Iterator[tuple[int, str]]


class Migration:
    """A migration module, parsed but not run."""

    def __init__(self, text: str) -> None:
        body = ast.parse(text).body
        self.statements = [one for one in body if not (isinstance(one, ast.FunctionDef) and one.name == "downgrade")]
        self.constants = {
            target.id: one.value.value
            for one in self.statements
            if isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant)
            for target in one.targets
            if isinstance(target, ast.Name)
        }

    @property
    def revision(self) -> int:
        return int(str(self.constants["revision"]))

    @cached_property
    def calls(self) -> list[tuple[str, ast.Call]]:
        """All calls of functions and methods, each with the last part of its name."""
        nodes = [node for one in self.statements for node in ast.walk(one) if isinstance(node, ast.Call)]
        return [(_called(call), call) for call in nodes]

    @cached_property
    def texts(self) -> list[Text]:
        return [text for one in self.statements for text in _texts(one)]

    @cached_property
    def created(self) -> set[str]:
        """Names of tables that this migration creates, which no process uses yet."""
        by_call = {_argument(call, 0, "table_name") for name, call in self.calls if name == "create_table"}
        by_sql = {
            _bare(match[1])
            for text in self.texts
            for match in re.finditer(rf"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?({_NAME})", text.sql, re.IGNORECASE)
        }
        return {name for name in by_call | by_sql if name is not None}

    @cached_property
    def rewritten(self) -> set[str]:
        """Texts of the statements that are passed to a function of ``_REWRITES``, directly or as constants."""
        arguments = [argument for name, call in self.calls if name in _REWRITES for argument in call.args]
        names = {argument.id for argument in arguments if isinstance(argument, ast.Name)}
        named = {str(value) for name, value in self.constants.items() if name in names}
        return named | {text.text for argument in arguments for text in _texts(argument)}

    @cached_property
    def raised_floor(self) -> int | None:
        """The revision that the first statement of ``upgrade`` raises the floor to; None without one."""
        upgrade = next((one for one in self.statements if isinstance(one, ast.FunctionDef) and one.name == "upgrade"), None)
        body = [] if upgrade is None else [one for one in upgrade.body if not _is_docstring(one)]
        match body:
            case [ast.Expr(ast.Call() as call), *_] if _called(call) == "raise_floor":
                floor = _argument(call, 0, "revision") or ""
                return int(floor) if floor.isdecimal() else None
            case _:
                return None


def findings(text: str, name: str, *, floor: int = 0) -> list[str]:
    """Return one line for each error. ``floor``: the floor that earlier migrations raised.

    >>> sql = "op.execute('ALTER TABLE series DROP COLUMN zone')"
    >>> head = "revision = '0009'\\nkind = 'expand'\\nlock_timeout = '2s'\\n"
    >>> findings(head + f"def upgrade():\\n    {sql}", "x.py")
    ['x.py:5: DROP removes something that older code may read: not in an expand migration']
    """
    migration = Migration(text)
    return [f"{name}:{line}: {error}" for line, error in sorted(set(_errors(migration, floor)))]


def _errors(migration: Migration, floor: int) -> Findings:
    kind = migration.constants.get("kind")
    if migration.revision < FIRST:
        if kind != "historical":
            yield 1, f'kind is {kind!r}: a migration before {FIRST:04d} has kind = "historical"'
        return
    if kind not in KINDS:
        yield 1, f'kind is {kind!r}: write kind = "expand" or kind = "contract"'
        return
    yield from _lock_timeout(migration)
    yield from _rewrites(migration)
    yield from _alone(migration)
    if kind == "contract":
        yield from _contract(migration, floor)
    else:
        for line, error in (*_expand_calls(migration), *_expand_sql(migration)):
            yield line, f"{error}: not in an expand migration"


def _lock_timeout(migration: Migration) -> Findings:
    match = re.fullmatch(r"(\d+)(ms|s)", str(migration.constants.get("lock_timeout")))
    if match is None:
        yield 1, 'lock_timeout is missing: write how long to wait for a lock, e.g. lock_timeout = "2s"'
    elif not 0 < int(match[1]) * (1_000 if match[2] == "s" else 1) <= LONGEST_LOCK_MS:
        yield 1, f"lock_timeout is {match[0]}: write 1 to {LONGEST_LOCK_MS} ms, because requests queue behind a waiting lock"


def _rewrites(migration: Migration) -> Findings:
    for text in migration.texts:
        statement = r"(?:^|;)\s*(?:WITH\b.*)?\b(?:UPDATE\s|DELETE\s+FROM\s)"
        if text.text not in migration.rewritten and re.search(statement, text.sql, re.IGNORECASE):
            yield text.line, _USE_REWRITE


def _alone(migration: Migration) -> Findings:
    if not any(name in _ALONE for name, _ in migration.calls):
        return
    for name, call in migration.calls:
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "op":
            yield (
                call.lineno,
                f"{name}() beside a step that commits by itself: move it to another migration, so that each can be run again",
            )


def _contract(migration: Migration, floor: int) -> Findings:
    raised = migration.raised_floor
    if raised is None:
        yield (
            1,
            'upgrade() of a contract migration must begin with raise_floor("NNNN", release="X.Y"), the revision as a literal',
        )
    elif not floor < raised <= migration.revision:
        yield (
            1,
            f"raise_floor({raised:04d}) must be above the floor {floor:04d} and at most {migration.revision:04d}, its revision",
        )


def _expand_calls(migration: Migration) -> Findings:
    for name, call in migration.calls:
        if error := _expand_call(name, call, migration.created):
            yield call.lineno, error


def _expand_call(name: str, call: ast.Call, created: set[str]) -> str | None:
    if name == "drop_constraint" and _argument(call, 2, "type_") == "foreignkey":
        return None  # older code works without it: no row that it writes is refused
    if name.startswith("drop_") or name == "drop":
        return f"{name}() removes something that older code may read"
    match name:
        case "rename_table":
            return "rename_table() removes a name that older code uses"
        case "batch_alter_table":
            return "batch_alter_table() copies the table"
        case "raise_floor":
            return "raise_floor() refuses older code"
        case "alter_column":
            return _altered(call)
        case "add_column":
            return _added(call)
        case "create_index" if _argument(call, 1, "table_name") not in created:
            return _USE_INDEX
        case constraint if constraint in _CONSTRAINTS and _argument(call, 1, "table_name", "source_table") not in created:
            return f"{constraint}() on a table in use refuses rows that older code writes"
        case _:
            return None


def _altered(call: ast.Call) -> str | None:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if refused := sorted(str(name) for name in keywords if name not in _HARMLESS_ALTER):
        return f"alter_column({', '.join(refused)}) changes a column that older code reads"
    if "nullable" in keywords and not _is(keywords["nullable"], True):
        return "alter_column(nullable=False) refuses rows that older code writes"
    if "server_default" in keywords and (_is(keywords["server_default"], None) or _is(keywords["server_default"], False)):
        return "alter_column(server_default=None) refuses rows that older code writes"
    return None


def _added(call: ast.Call) -> str | None:
    column = call.args[1] if len(call.args) > 1 else next((one.value for one in call.keywords if one.arg == "column"), None)
    if not (isinstance(column, ast.Call) and _called(column) == "Column"):
        return "add_column() cannot be checked unless the column is written in the call"
    keywords = {keyword.arg: keyword.value for keyword in column.keywords}
    parts = {_called(node) for argument in column.args for node in ast.walk(argument) if isinstance(node, ast.Call)}
    if parts & {"Identity", "Computed", "Sequence"}:
        return "a column that is computed for each row rewrites the table"
    if "ForeignKey" in parts or any(_is(keywords.get(name), True) for name in ("primary_key", "unique", "index")):
        return "a column with a constraint or an index: add the column alone"
    default = keywords.get("server_default")
    if default is not None and any(re.search(rf"\b(?:{_BY_ROW})\s*\(", text.sql, re.IGNORECASE) for text in _texts(default)):
        return "a default that is computed for each row rewrites the table"
    if "nullable" in keywords and not _is(keywords["nullable"], True) and (default is None or _is(default, None)):
        return "a NOT NULL column without a default refuses rows that older code writes"
    return None


def _expand_sql(migration: Migration) -> Findings:
    for text in migration.texts:
        for pattern, error in _FORBIDDEN_SQL:
            if re.search(pattern, text.sql, re.IGNORECASE):
                yield text.line, error
        for match in re.finditer(_ALTER_TABLE, text.sql, re.IGNORECASE):
            if _bare(match[1]) not in migration.created:
                for clause in _clauses(match[2]):
                    if error := _clause(clause):
                        yield text.line, error
        for match in re.finditer(_CREATE_INDEX, text.sql, re.IGNORECASE):
            if _bare(match[1]) not in migration.created:
                yield text.line, _USE_INDEX


def _clause(clause: str) -> str | None:
    """Return the error in a clause of ALTER TABLE; None if it is allowed."""
    if re.match(r"\s*ADD\s+(?:CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE|NOT\s+NULL)\b", clause, re.IGNORECASE):
        return "a constraint on a table in use refuses rows that older code writes"
    if not re.match(r"\s*ADD\s", clause, re.IGNORECASE):
        return None
    if re.search(r"\b(?:REFERENCES|CHECK|UNIQUE|PRIMARY\s+KEY)\b", clause, re.IGNORECASE):
        return "a column with a constraint or an index: add the column alone"
    if re.search(rf"\bGENERATED\b|\b(?:small|big)?serial\b|\b(?:{_BY_ROW})\s*\(", clause, re.IGNORECASE):
        return "a default that is computed for each row rewrites the table"
    if re.search(_NOT_NULL, clause, re.IGNORECASE) and not re.search(_DEFAULT, clause, re.IGNORECASE):
        return "a NOT NULL column without a default refuses rows that older code writes"
    return None


def _clauses(text: str) -> list[str]:
    """Split at commas outside parentheses.

    >>> _clauses(" ADD a numeric(6, 2), ADD b int")
    [' ADD a numeric(6, 2)', ' ADD b int']
    """
    depth, clauses = 0, [""]
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            clauses.append("")
        else:
            clauses[-1] += character
    return clauses


def _texts(node: ast.AST) -> Iterator[Text]:
    """Yield the strings below a node, except docstrings and ``comment`` arguments."""
    if _is_docstring(node):
        return
    text = _joined(node)
    if text is not None:
        yield Text(node, getattr(node, "lineno", 1), text)
        return
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.keyword) and child.arg == "comment"):
            yield from _texts(child)


def _joined(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_joined(value) or "{}" for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            ends = _joined(left), _joined(right)
            return None if ends == (None, None) else "".join("{}" if end is None else end for end in ends)
        case _:
            return None


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Subscript(value=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name
        case _:
            return ""


def _argument(call: ast.Call, place: int, *names: str) -> str | None:
    """Return an argument that is a literal string; None for others."""
    node = call.args[place] if len(call.args) > place else next((one.value for one in call.keywords if one.arg in names), None)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is(node: ast.AST | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _bare(name: str) -> str:
    """Return the name of a table without schema and quotes."""
    return name.split(".")[-1].strip('"')


def main(folder: Path = VERSIONS) -> int:
    lines: list[str] = []
    floor = 0
    modules = sorted(folder.glob("[0-9]*.py"))
    for path in modules:
        text = path.read_text()
        lines += findings(text, path.name, floor=floor)
        floor = max(floor, Migration(text).raised_floor or 0)
    print("\n".join(lines) if lines else f"migrations: {len(modules)} checked, all keep to their kind")
    return 1 if lines or not modules else 0


if __name__ == "__main__":
    sys.exit(main())
