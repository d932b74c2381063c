"""The lint of migrations refuses operations and SQL that disturb a running process."""

from __future__ import annotations

import doctest
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

LINT = Path(__file__).parents[1] / "lint" / "migrations.py"


@pytest.fixture(scope="module")
def lint() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lint_of_migrations", LINT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def written(*statements: str, kind: str = "expand", revision: str = "0009", lock_timeout: str | None = "2s") -> str:
    head = [f'revision = "{revision}"', f'kind = "{kind}"']
    if lock_timeout is not None:
        head.append(f'lock_timeout = "{lock_timeout}"')
    return "\n".join([*head, "def upgrade():", *(f"    {one}" for one in statements or ("pass",))])


def test_the_examples_hold(lint: ModuleType) -> None:
    results = doctest.testmod(lint)
    assert (results.attempted > 3, results.failed) == (True, 0)


def test_the_migrations_of_this_repository_pass(lint: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint.main() == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    "statement",
    [
        'op.drop_table("series")',
        'op.drop_column("series", "zone")',
        'op.drop_index("ix", table_name="series")',
        'op.drop_constraint("ck", "series")',
        'op.rename_table("series", "line")',
        'op.alter_column("series", "zone", new_column_name="area")',
        'op.alter_column("series", "zone", type_=sa.Text())',
        'op.alter_column("series", "zone", nullable=False)',
        'op.alter_column("series", "zone", server_default=None)',
        'op.add_column("series", sa.Column("a", sa.Text(), nullable=False))',
        'op.add_column("series", sa.Column("a", sa.Text(), nullable=False, server_default=None))',
        'op.add_column("series", sa.Column("a", sa.BigInteger(), sa.Identity()))',
        'op.add_column("series", sa.Column("a", sa.Text(), server_default=sa.text("gen_random_uuid()")))',
        'op.add_column("series", sa.Column("a", sa.Text(), sa.ForeignKey("source.name")))',
        'op.add_column("series", column)',
        'op.create_index("ix", "series", ["zone"])',
        'op.create_index("ix", "series", ["zone"], postgresql_concurrently=True)',
        'op.create_unique_constraint("uq", "series", ["zone"])',
        'op.create_foreign_key("fk", "series", "source", ["source"], ["name"])',
        'op.batch_alter_table("series")',
        'raise_floor("0009", release="1.0")',
        'op.execute("DROP TABLE series")',
        'op.execute("drop view if exists v")',
        'op.execute("ALTER TABLE series DROP zone")',
        'op.execute("ALTER TABLE series ALTER zone DROP DEFAULT")',
        'op.execute("TRUNCATE quarantine")',
        'op.execute("ALTER TABLE series RENAME zone TO area")',
        'op.execute("ALTER TABLE series RENAME TO line")',
        'op.execute("ALTER TABLE series ALTER COLUMN zone TYPE varchar(9)")',
        'op.execute("ALTER TABLE series ALTER zone SET DATA TYPE text")',
        'op.execute("ALTER TABLE series ALTER zone SET NOT NULL")',
        'op.execute("ALTER TABLE series ADD COLUMN a text NOT NULL")',
        'op.execute("ALTER TABLE series ADD a numeric(6, 2), ADD b text NOT NULL")',
        'op.execute("ALTER TABLE series ADD a bigserial")',
        'op.execute("ALTER TABLE series ADD a int GENERATED ALWAYS AS (1) STORED")',
        "op.execute(\"ALTER TABLE series ADD CONSTRAINT ck CHECK (zone <> '')\")",
        'op.execute("CREATE INDEX ix ON series (zone)")',
        'op.execute("CREATE UNIQUE INDEX CONCURRENTLY ix ON public.series (zone)")',
        'op.execute(f"CREATE INDEX ix ON {table} (zone)")',
        'op.execute("DROP " + "TABLE series")',
        'op.execute("DROP -- why\\n TABLE series")',
        'op.get_bind().exec_driver_sql("ALTER TABLE series DROP COLUMN zone")',
        'op.execute("LOCK TABLE series")',
        'op.execute("UPDATE series SET zone = upper(zone)")',
        'op.execute("DELETE FROM quarantine")',
    ],
)
def test_an_expand_migration_may_not_stop_older_code(lint: ModuleType, statement: str) -> None:
    (line,) = lint.findings(written("pass", statement), "0009_x.py")
    assert line.startswith("0009_x.py:6: ")


@pytest.mark.parametrize(
    "statements",
    [
        ['op.add_column("series", sa.Column("a", sa.Text()))'],
        ['op.add_column("series", sa.Column("a", sa.Text(), nullable=False, server_default=sa.text("now()")))'],
        ['op.alter_column("series", "zone", server_default=sa.text("\'UTC\'"))'],
        ['op.alter_column("series", "zone", nullable=True)'],
        ['op.drop_constraint("fk", "series", type_="foreignkey")'],
        ['op.create_table("extra", sa.Column("a", sa.Text(), nullable=False))', 'op.create_index("ix", "extra", ["a"])'],
        ['op.execute("CREATE TABLE extra (a text NOT NULL)")', 'op.execute("CREATE INDEX ix ON extra (a)")'],
        ["op.execute(\"ALTER TABLE series ADD a text NOT NULL DEFAULT ''\")"],
        ['op.execute("ALTER TABLE series ALTER zone DROP NOT NULL")'],
        ['op.execute("CREATE TRIGGER t AFTER UPDATE OR DELETE ON series FOR EACH STATEMENT EXECUTE FUNCTION f()")'],
        ['op.create_table("extra", sa.Column("a", sa.Text()), comment="Rows stay when others drop out.")'],
        ['create_index_concurrently("ix", "series", ["zone"])'],
        ['rewrite_rows("UPDATE series SET a = 1 WHERE series_id IN (SELECT series_id FROM series WHERE a IS NULL LIMIT 9)")'],
    ],
)
def test_an_expand_migration_adds(lint: ModuleType, statements: list[str]) -> None:
    assert lint.findings(written(*statements), "x.py") == []


def test_a_downgrade_may_remove(lint: ModuleType) -> None:
    assert lint.findings(written() + '\ndef downgrade():\n    op.drop_table("series")', "x.py") == []


@pytest.mark.parametrize(
    ("lock_timeout", "accepted"), [("2s", True), ("500ms", True), (None, False), ("0s", False), ("1min", False), ("60s", False)]
)
@pytest.mark.parametrize("kind", ["expand", "contract"])
def test_locks_are_waited_for_a_short_time(lint: ModuleType, kind: str, lock_timeout: str | None, accepted: bool) -> None:
    floor = 'raise_floor("0009", release="1.0")'
    text = written(*([floor] if kind == "contract" else []), kind=kind, lock_timeout=lock_timeout)
    lines = lint.findings(text, "x.py")
    assert [("lock_timeout" in line) for line in lines] == ([] if accepted else [True])


@pytest.mark.parametrize(
    ("statements", "accepted"),
    [
        (['raise_floor("0008", release="1.0")', 'op.drop_column("series", "zone")'], True),
        (['raise_floor("0009", release="1.0")', 'rewrite_rows("DELETE FROM a WHERE b IN (SELECT b FROM a LIMIT 9)")'], True),
        (['op.drop_column("series", "zone")'], False),
        (['op.drop_column("series", "zone")', 'raise_floor("0008", release="1.0")'], False),
        (['raise_floor(floor, release="1.0")', 'op.drop_column("series", "zone")'], False),
        (['raise_floor("0007", release="1.0")', 'op.drop_column("series", "zone")'], False),
        (['raise_floor("0010", release="1.0")', 'op.drop_column("series", "zone")'], False),
    ],
)
def test_a_contract_migration_first_raises_the_floor(lint: ModuleType, statements: list[str], accepted: bool) -> None:
    lines = lint.findings(written(*statements, kind="contract"), "x.py", floor=7)
    assert [("raise_floor" in line) for line in lines] == ([] if accepted else [True])


def test_what_commits_as_it_goes_stands_alone(lint: ModuleType) -> None:
    column = 'op.add_column("series", sa.Column("a", sa.Text()))'
    (line,) = lint.findings(written('create_index_concurrently("ix", "series", ["zone"])', column), "x.py")
    assert "can be run again" in line


@pytest.mark.parametrize(("revision", "kind"), [("0009", "historical"), ("0009", "data"), ("0006", "expand")])
def test_a_migration_says_its_kind(lint: ModuleType, revision: str, kind: str) -> None:
    (line,) = lint.findings(written(kind=kind, revision=revision), "x.py")
    assert "kind" in line


def test_floors_rise_from_migration_to_migration(lint: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for revision in ("0009", "0010"):
        text = written('raise_floor("0008", release="1.0")', kind="contract", revision=revision)
        (tmp_path / f"{revision}_x.py").write_text(text)
    assert lint.main(tmp_path) == 1
    assert capsys.readouterr().out.startswith("0010_x.py:1: raise_floor(0008)")


def test_a_folder_without_migrations_is_an_error(lint: ModuleType, tmp_path: Path) -> None:
    assert lint.main(tmp_path) == 1
