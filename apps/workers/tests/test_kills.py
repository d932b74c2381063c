"""Every process and server is killed at random points over jobs of all kinds; the tables tell what became of each effect.

``make kill-test`` runs the long form: ``AURUM_TEST_KILLS`` kills over 500 jobs (300 by default, a quarter of an hour). The seed
``AURUM_TEST_KILL_SEED`` repeats the order of jobs and kills, but not their moments.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from killing import run_trial

from aurum.common.settings import environment

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_redis, pytest.mark.needs_process]

_KILLS = environment({}).get("AURUM_TEST_KILLS")
_SEED = int(environment({}).get("AURUM_TEST_KILL_SEED", "1"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: it holds the sockets of servers."""
    path = Path(tempfile.mkdtemp(prefix="aurum-kill-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


async def test_each_effect_is_made_once_whatever_is_killed(folder: Path) -> None:
    kills = await run_trial(folder, jobs=40, kills=6, seed=1, end_within_s=300.0)
    assert kills.total() == 6


@pytest.mark.timeout(3600)
@pytest.mark.skipif(_KILLS is None, reason="takes a quarter of an hour: `make kill-test` runs it")
async def test_each_effect_of_500_jobs_is_made_once_whatever_is_killed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kills = await run_trial(folder, jobs=500, kills=int(_KILLS or 0), seed=_SEED, end_within_s=900.0)
    with capsys.disabled():
        print(f"\n500 jobs, {kills.total()} kills, seed {_SEED}: {dict(kills)}")
    assert kills.total() >= int(_KILLS or 0)
