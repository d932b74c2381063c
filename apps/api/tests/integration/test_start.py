"""Messages of a service that starts, and of one that refuses to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from api_processes import api_child

from aurum.api.main import create_app_from_environment
from aurum.api.testing import serving
from aurum.common.settings import AccessSettings, ApiSettings, Settings


@pytest.mark.needs_process
def test_an_open_service_refuses_to_listen_where_others_reach_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aurum.api", "serve", "--host", "0.0.0.0"]
    done = subprocess.run(command, cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "AURUM_ACCESS__MODE: an open service listens on loopback only, not on 0.0.0.0" in line


async def test_an_open_service_says_so_as_it_starts(market_url: str) -> None:
    with api_child(market_url) as (_, process):
        assert process.stderr is not None
        line = process.stderr.readline().decode()
    assert line.startswith("aurum.api: open mode: every process of this machine has all permissions")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AURUM_PROFILE": "production"}, ["AURUM_DATABASE__URL", "AURUM_ACCESS__MODE", "AURUM_API__CURSOR_SECRET"]),
        ({"AURUM_API__HOST": "0.0.0.0"}, ["an open service listens on loopback only"]),
    ],
)
def test_a_factory_refuses_what_serving_refuses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], said: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        create_app_from_environment()
    assert all(text in str(caught.value.code) for text in said)


@pytest.mark.parametrize(
    ("profile", "told_s", "expected"),
    [
        ("local", None, None),
        ("production", None, "max-age=31536000"),
        ("production", 0, None),
        ("local", 600, "max-age=600"),
    ],
)
async def test_browsers_are_told_what_they_may_do(
    settings: Settings, profile: str, told_s: int | None, expected: str | None
) -> None:
    parts = {"profile": profile, "api": ApiSettings(hsts_s=told_s), "access": AccessSettings(mode="required")}
    async with serving(settings.model_copy(update=parts)) as served:
        for path in ("/live", "/v2/series", "/nothing"):
            headers = (await served.client.get(path)).headers
            assert headers.get("strict-transport-security") == expected
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-content-type-options"] == "nosniff"
