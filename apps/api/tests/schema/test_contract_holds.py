"""Schemathesis, all checks, against a running service with a populated store: what openapi.json says is what is served."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from api_issuer import AUDIENCE, Issuer, issuing
from api_market import market_database

from aurum.api.main import create_app
from aurum.api.testing.listening import listening
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, DatabaseSettings, Settings
from aurum.core.access import RatePlan
from aurum.core.errors import Conflict
from aurum.services.access import change_tenant, create_tenant, put_plan
from aurum.storage.embedded import EmbeddedPostgres
from aurum.storage.ports.access import Actor
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.transaction import PostgresTransactions

pytestmark = pytest.mark.needs_postgres

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = 15
"""Examples for each operation; the coverage phase adds its own, which are half of the run."""
FEWER = 8
"""Examples for runs with a credential, which each check sends or leaves out."""
TIMEOUT_S = 1800
"""Ends a run that hangs. A quiet machine needs a minute or two, one with a load of 17 more than five."""
LOCKS_OUT = ("changeTenant", "putPlan")
"""Operations that could take the access or the rate of the testing caller away. They are tested on the open service."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def settings(settings: Settings, postgres_server: EmbeddedPostgres, migrated_template: str) -> Settings:
    """Settings of a service with a database of its own, because all operations are called, the removal of series too."""
    url = await market_database(postgres_server, migrated_template, "api_contract")
    return settings.model_copy(update={"database": settings.database.model_copy(update={"url": url})})


def with_v1(settings: Settings) -> Settings:
    return settings.model_copy(update={"api": settings.api.model_copy(update={"enable_v1": True})})


def schemathesis(url: str, folder: Path, *options: str) -> str:
    """Run all operations, expect no failure, and return the output."""
    command = [
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
        "--config-file", str(ROOT / "schemathesis.toml"),
        "run", f"{url}/openapi.json",
        "--checks", "all",
        "--generation-deterministic",
        # By default a response that takes ten seconds is a failure.
        "--request-timeout", "300",
        # It would invent credentials, and even an open service refuses invalid ones: every response would be 401.
        "--generation-with-security-parameters", "false",
        # Making up values may take long, or many tries; that says nothing of the service.
        "--suppress-health-check", "too_slow,filter_too_much",
        "--no-color",
        *options,
    ]  # fmt: skip
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "Authentication failed" not in run.stdout, "operations that only refused were not tested"
    return run.stdout


def operations(settings: Settings) -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of each."""
    paths = create_app(settings).openapi()["paths"]
    return [(path, method, one) for path, methods in paths.items() for method, one in methods.items()]


@pytest.mark.timeout(TIMEOUT_S + 60)
def test_schemathesis_finds_nothing(settings: Settings, tmp_path: Path) -> None:
    everything = with_v1(settings)
    with listening(everything) as url:
        # The service is open, so a missing credential is not an error.
        said = schemathesis(url, tmp_path, "--max-examples", str(EXAMPLES), "--exclude-checks", "ignored_auth")
    assert f"Tested: {len(operations(everything))}" in said, said[-3000:]


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        running.add("first")
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(settings: Settings, issuer: Issuer) -> Settings:
    """Settings of a service that requires credentials, with a tenant whose rate limits are high.

    Created for each test, because the open service on the same store lets every caller change plans and tenants.
    """
    assert settings.database.url is not None
    pool = await PostgresPool.open(DatabaseSettings(url=settings.database.url, pool_size=2))
    transactions = PostgresTransactions(pool)
    await put_plan(transactions, RatePlan("tireless", 10**8, 10**8, 10**8, 1.0, 1), by=Actor("test"))
    with suppress(Conflict):
        await create_tenant(transactions, "robots", "Robots", "tireless", by=Actor("test"))
    await change_tenant(transactions, "robots", plan="tireless", disabled=False, by=Actor("test"))
    await pool.close()
    access = AccessSettings(mode="required", issuer=issuer.url, audience=AUDIENCE, roles_claim="realm_access.roles")
    # Each operation is asked without a credential too, more often than a stranger may.
    limits = settings.limits.model_copy(update={"failures_per_minute": 0})
    return with_v1(settings.model_copy(update={"access": access, "limits": limits}))


@pytest.mark.timeout(TIMEOUT_S + 60)
def test_schemathesis_finds_nothing_with_a_credential(guarded: Settings, issuer: Issuer, tmp_path: Path) -> None:
    token = issuer.token("first", tenant="robots", roles=("super_admin",), exp=SystemClock().now() + timedelta(days=1))
    headers = {"Authorization": f"Bearer {token}"}
    excluded = [option for name in LOCKS_OUT for option in ("--exclude-operation-id", name)]
    with listening(guarded) as url:
        # Without the phase of coverage: what may be asked is the other run's question, and who may ask is this one's.
        said = schemathesis(
            url, tmp_path, "--max-examples", str(FEWER), "--phases", "examples,fuzzing,stateful",
            "--header", f"Authorization: Bearer {token}", *excluded,
        )  # fmt: skip
        still = httpx.get(f"{url}/v2/admin/tenants", headers=headers, trust_env=False, timeout=120)
    assert f"Tested: {len(operations(guarded)) - len(LOCKS_OUT)}" in said, said[-3000:]
    assert still.status_code == 200, "the credential was good to the end"


def test_whoever_says_nothing_of_themselves_is_401_as_the_contract_says(guarded: Settings) -> None:
    with listening(guarded) as url, httpx.Client(base_url=url, trust_env=False, timeout=120) as client:
        for path, method, operation in operations(guarded):
            answer = client.request(method, path.replace("{", "").replace("}", ""))
            if not operation["security"]:
                assert answer.status_code != 401, path
                continue
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), path
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "401" in operation["responses"], path
