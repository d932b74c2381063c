"""``aurum up``: the whole service on one machine, from start to stop."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from aurum.storage.testing.waiting import wait_until_blocking

from .conftest import SAMPLE, Instance, aurum, processes_of, start_up

pytestmark = pytest.mark.e2e
KEY = "nyiso:damlbmp_zone:61761:lmp"


@pytest.fixture(scope="module")
def instance(shared_data_dir: Path) -> Iterator[Instance]:
    running = start_up(shared_data_dir)
    yield running
    if running.process.poll() is None:
        running.stop()


def test_a_new_user_gets_25_hours_of_real_prices(instance: Instance) -> None:
    answer = instance.data(f"/v2/series/{KEY}/observations", start="2025-11-02", end="2025-11-03", tz="market")
    assert answer.status_code == 200
    rows = answer.json()["data"]
    assert len(rows) == 25
    assert [row["start"] for row in rows[1:3]] == ["2025-11-02T01:00:00-04:00", "2025-11-02T01:00:00-05:00"]
    assert [row["value"] for row in rows[1:3]] == [53.65, 52.59]


def test_it_is_ready_and_says_so(instance: Instance) -> None:
    wait_until_blocking(lambda: instance.get("/ready").status_code == 200)
    assert instance.get("/live").json() == {"status": "ok"}


def test_a_second_one_on_the_same_data_is_refused_in_one_line(instance: Instance) -> None:
    second = aurum(instance.data_dir, "up", "--port", "0")
    assert second.returncode == 1
    assert second.stderr.startswith("aurum: aurum is already up")
    assert len(second.stderr.splitlines()) == 1


def test_other_commands_find_the_running_instance(instance: Instance) -> None:
    shown = aurum(instance.data_dir, "series", "show", KEY, "--start", "2025-11-02", "--end", "2025-11-03", "--freq", "1d")
    assert shown.returncode == 0, shown.stderr
    assert "America/New_York" in shown.stdout


def test_the_worker_loads_what_is_queued(instance: Instance, tmp_path: Path) -> None:
    text = (SAMPLE / "nyiso/20251102damlbmp_zone.csv").read_text().replace("11/02/2025", "10/02/2025")
    lines = [line for number, line in enumerate(text.splitlines()) if number not in (7, 8, 9)]
    path = tmp_path / "20251002damlbmp_zone.csv"
    path.write_text("\n".join(lines) + "\n")
    queued = aurum(instance.data_dir, "ingest", "--queue", path)
    assert queued.returncode == 0, queued.stderr

    def loaded() -> bool:
        answer = instance.data(f"/v2/series/{KEY}/observations", start="2025-10-02", end="2025-10-03", tz="market")
        return len(answer.json()["data"]) == 24

    wait_until_blocking(loaded)


def test_a_queued_file_that_is_missing_is_parked_and_blocks_no_other(instance: Instance, tmp_path: Path) -> None:
    body = {"name": "ingest.file", "payload": {"path": str(tmp_path / "20251003damlbmp_zone.csv")}}
    job = instance.post("/v2/jobs", json=body).json()["data"]
    again = tmp_path / "20251004damlbmp_zone.csv"
    text = (SAMPLE / "nyiso/20251102damlbmp_zone.csv").read_text().splitlines()[:4]
    again.write_text("\n".join(text).replace("11/02/2025", "10/04/2025") + "\n")
    assert aurum(instance.data_dir, "ingest", "--queue", again).returncode == 0

    def loaded() -> bool:
        answer = instance.data(f"/v2/series/{KEY}/observations", start="2025-10-04", end="2025-10-05", tz="market")
        return len(answer.json()["data"]) == 1

    wait_until_blocking(loaded)
    watched = aurum(instance.data_dir, "jobs", "watch", job["job_id"], "--json")
    assert (watched.returncode, json.loads(watched.stdout)["data"]["state"]) == (1, "parked"), watched.stderr
    assert instance.data(f"/v2/jobs/{job['job_id']}").json()["data"]["reason"]


def test_sigterm_stops_every_process(data_dir: Path) -> None:
    running = start_up(data_dir, "--no-sample")
    assert processes_of(data_dir)
    assert running.stop() == 0
    wait_until_blocking(lambda: not processes_of(data_dir))


def test_started_again_it_loads_nothing_twice_also_after_kill_9(data_dir: Path) -> None:
    first = start_up(data_dir, "--no-worker")
    before = first.data("/v2/catalog/quality/files").json()["meta"]["count"]
    first.stop(signal.SIGKILL)
    second = start_up(data_dir, "--no-worker")
    assert second.data("/v2/catalog/quality/files").json()["meta"]["count"] == before
    assert second.stop(signal.SIGINT) == 0
    wait_until_blocking(lambda: not processes_of(data_dir))
