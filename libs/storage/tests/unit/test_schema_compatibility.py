import subprocess
import sys

import pytest

from aurum.storage.migrations.compatibility import InstalledSchema, UnusableSchema, is_compatible, is_older, mismatch
from aurum.storage.migrations.head import OPTIONAL, needed_revision, newest_revision
from aurum.storage.ports.probe import MismatchKind


@pytest.mark.parametrize(
    ("revision", "floor", "expected"),
    [
        ("0008", None, True),  # of this release
        ("0009", None, True),  # of the next release
        ("0012", "0008", True),
        ("0007", None, True),  # later revisions are optional
        ("0006", None, False),
        (None, None, False),
        ("0009", "0009", False),
        ("10000", "0009", False),
        ("10000", "0008", True),
    ],
)
def test_a_release_runs_on_schemas_that_it_needs_and_that_accept_it(
    revision: str | None, floor: str | None, expected: bool
) -> None:
    assert is_compatible(revision, floor, needs="0007", head="0008") is expected
    assert (mismatch(InstalledSchema(revision, floor), needs="0007", head="0008") is None) is expected


def test_a_schema_that_is_behind_asks_for_a_migration() -> None:
    problem = mismatch(InstalledSchema("0005"), needs="0007", head="0008")
    assert problem is not None
    assert problem.kind is MismatchKind.NOT_MIGRATED
    assert problem.detail == "the database is at schema 0005, this release needs 0007: run `aurum db migrate`"


@pytest.mark.parametrize(
    ("release", "named"),
    [("2.1", "release 2.1 or newer"), (None, "the release with schema 0010 or newer")],
)
def test_a_floor_above_the_code_asks_for_a_release(release: str | None, named: str) -> None:
    problem = mismatch(InstalledSchema("0011", "0010", release), needs="0007", head="0008")
    assert problem is not None
    assert problem.kind is MismatchKind.CODE_TOO_OLD
    assert problem.detail.endswith(f"install {named}")


def test_a_revision_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(UnusableSchema, match="a1b2c3"):
        is_older("a1b2c3", "0007")


def test_only_the_newest_revisions_are_optional() -> None:
    assert needed_revision() <= newest_revision()
    assert all(revision <= newest_revision() for revision in OPTIONAL)


@pytest.mark.needs_process
def test_the_schema_is_read_without_alembic_and_sqlalchemy() -> None:
    program = "import sys, aurum.storage.migrations.installed; print({'alembic', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "set()"
