"""``aurum ingest`` on good and bad files, alone and beside another process, and killed while it runs."""

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import AURUM, SAMPLE, aurum, environment
from .invented import invented_day

pytestmark = pytest.mark.e2e


def test_an_unknown_file_is_refused_in_one_line_and_verbose_lists_the_formats_tried(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no known format\n")
    done = aurum(data_dir, "ingest", path)
    assert done.returncode == 3
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("refused notes.txt")]
    assert line == "refused notes.txt: unknown format: no table, JSON or XML in it; it begins with 'no known format'"
    assert "pjm da_hrl_lmps" not in done.stdout
    assert "pjm da_hrl_lmps" in aurum(data_dir, "ingest", "--verbose", path).stdout


def test_zero_bytes_and_a_truncated_report_change_nothing(data_dir: Path, tmp_path: Path) -> None:
    empty = tmp_path / "RTBM-LMP-SL-202503310845.csv"
    empty.touch()
    whole = invented_day(tmp_path / "WW_DALMP_ISO_20260604.csv", 4, nodes=5)
    cut = tmp_path / "WW_DALMP_ISO_20260605.csv"
    cut.write_text("\n".join(whole.read_text().splitlines()[:-10]) + "\n")
    done = aurum(data_dir, "ingest", empty, cut)
    assert done.returncode == 3
    assert done.stdout.count("refused ") >= 2
    assert aurum(data_dir, "series", "list").stdout.count("isone:") == 0


def test_an_impossible_hour_is_quarantined_and_the_rest_is_loaded(data_dir: Path, tmp_path: Path) -> None:
    path = invented_day(tmp_path / "WW_DALMP_ISO_20260604.csv", 4, nodes=2)
    path.write_text(path.read_text().replace('"06/04/2026","24","9000"', '"06/04/2026","31","9000"'))
    done = aurum(data_dir, "ingest", path)
    assert done.returncode == 0, done.stdout
    listed = aurum(data_dir, "quarantine", "list")
    assert "invalid_time" in listed.stdout
    shown = aurum(data_dir, "series", "show", "isone:da_lmp:9000:lmp", "--rows", "100")
    assert sum(line.startswith("2026-06-04") for line in shown.stdout.splitlines()) == 23


def test_a_mended_file_is_replayed_out_of_quarantine(data_dir: Path, tmp_path: Path) -> None:
    broken = (SAMPLE / "nyiso/20251102damlbmp_zone.csv").read_text().replace("52.59", "x")
    path = tmp_path / "20251102damlbmp_zone.csv"
    path.write_text(broken)
    assert aurum(data_dir, "ingest", path).returncode == 0
    assert "non_numeric" in aurum(data_dir, "quarantine", "list").stdout
    again = aurum(data_dir, "quarantine", "replay")
    assert again.returncode == 0, again.stderr
    # The same bytes fail the same check: the row is held again, and only once.
    assert aurum(data_dir, "quarantine", "list").stdout.count("non_numeric") == 1


def test_an_unreachable_database_is_reported_in_one_line_that_names_the_setting(data_dir: Path) -> None:
    path = SAMPLE / "nyiso/20251102damlbmp_zone.csv"
    done = aurum(data_dir, "ingest", path, AURUM_DATABASE__URL="postgresql://nobody@127.0.0.1:1/none")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "AURUM_DATABASE__URL" in done.stderr


def test_an_invalid_setting_is_reported_in_one_line_that_names_the_variable(data_dir: Path) -> None:
    done = aurum(data_dir, "db", "status", AURUM_DATABASE__POOL_SIZE="many")
    assert done.returncode == 2
    assert done.stderr.startswith("aurum: AURUM_DATABASE__POOL_SIZE: got 'many'")
    assert len(done.stderr.splitlines()) == 1


def test_two_processes_load_overlapping_files_at_the_same_time(data_dir: Path, tmp_path: Path) -> None:
    days = [invented_day(tmp_path / f"WW_DALMP_ISO_202606{day:02d}.csv", day, nodes=60) for day in (4, 5, 6, 7)]
    command = [*AURUM, "--data-dir", str(data_dir), "ingest"]
    both = [
        subprocess.Popen([*command, *map(str, order)], env=environment(), stdout=subprocess.PIPE, text=True)
        for order in (days, days[::-1])
    ]
    for process in both:
        process.communicate(timeout=300)
        assert process.returncode == 0
    shown = aurum(data_dir, "series", "show", "isone:da_lmp:9000:lmp", "--rows", "1000")
    assert sum(line.startswith("2026-06-") for line in shown.stdout.splitlines()) == 96
    again = aurum(data_dir, "ingest", "--force", *days)
    assert f"{4 * 24 * 60 * 4:,}" in again.stdout.splitlines()[-1]
    assert again.stdout.splitlines()[-1].split()[3:5] == ["0", "0"]


def test_killed_repeatedly_no_row_is_lost_or_stored_twice(data_dir: Path, tmp_path: Path) -> None:
    days = [invented_day(tmp_path / f"WW_DALMP_ISO_202606{day:02d}.csv", day) for day in (4, 5, 6, 7, 8)]
    command = [*AURUM, "--data-dir", str(data_dir), "ingest", *map(str, days)]
    pauses = random.Random(7)
    for _ in range(5):
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(pauses.uniform(0.8, 2.2))  # the moment of the kill is drawn
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = aurum(data_dir, "ingest", *days)
    assert done.returncode == 0, done.stdout
    again = aurum(data_dir, "ingest", "--force", *days)
    files, read, new, revised, unchanged = again.stdout.splitlines()[-1].split()[1:6]
    assert (files, read, new, revised) == ("5", f"{5 * 24 * 400:,}", "0", "0")
    assert unchanged == f"{5 * 24 * 400 * 4:,}"
    for node in (9000, 9399):
        shown = aurum(data_dir, "series", "show", f"isone:da_lmp:{node}:lmp", "--rows", "1000")
        starts = [line[:20] for line in shown.stdout.splitlines() if line.startswith("2026-06-")]
        assert len(starts) == len(set(starts)) == 120
