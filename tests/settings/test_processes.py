"""Settings of all processes (folders, profile, access, logs, telemetry) and of workers, checks and models."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import httpx
import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from aurum.api.observability.process_checks import worker_checks
from aurum.api.observability.telemetry import RequestTallies
from aurum.api.security.tokens import InvalidToken, IssuerAway, IssuerProtection, TokenVerifier
from aurum.api.testing import InMemory, Served, serving
from aurum.assembly.memory import memory_store
from aurum.assembly.pipelines import Pipelines, model_paths
from aurum.assembly.postgres import open_store
from aurum.cli.supervision import Supervisor, write_state
from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings, Settings
from aurum.common.settings.production import refusals_to_start
from aurum.common.telemetry.logging import configure_logging
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.otlp import MetricsSender, send_metrics, tracer_provider
from aurum.core.access import RatePlan
from aurum.core.api_keys import key_text
from aurum.pipelines.models.project import variables
from aurum.pipelines.models.run import BuildTooLong, Invocation, ModelRunner, Verb
from aurum.pipelines.quality.retention import ValidationCleanup
from aurum.services.access import create_tenant, put_plan
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.ports.quality import Retention
from aurum.storage.postgres.transaction import PostgresTransactions
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.http_server import running_server
from aurum.workers.health import served_health

now = SystemClock().now
OPERATOR = Actor("operator")
shows, needs = pytest.mark.shows, pytest.mark.given


# --- folders and profile ----------------------------------------------------------------------------------------------


@shows(AURUM_DATA_DIR="data")
def test_files_of_a_process_are_in_its_data_directory(settings: Settings, store: MemoryStore, tmp_path: Path) -> None:
    assert model_paths(settings).output == tmp_path / "data" / "warehouse"
    pipelines = Pipelines(memory_store(settings, SystemClock(), store, MemoryChangeFeed()))
    pipelines.raw_files.put("a" * 64, b"a,b")
    assert (Path("data") / "quarantine" / f"{'a' * 64}.gz").is_file()


@pytest.fixture
def folders(tmp_path: Path) -> None:
    """The folders that the settings of the test name."""
    (tmp_path / "contracts" / "expectations").mkdir(parents=True)
    (tmp_path / "guides").mkdir()


@shows(AURUM_CONTRACTS_DIR="contracts", AURUM_GUIDES_DIR="guides")
async def test_contracts_and_guides_are_read_where_settings_say(
    settings: Settings, folders: None, store: MemoryStore, tmp_path: Path
) -> None:
    async with serving(settings, InMemory(store)) as served:
        folders_read = [tmp_path / served.state[name] for name in ("contracts", "guides")]
    assert folders_read == [tmp_path / "contracts", tmp_path / "guides"]


@shows(AURUM_PROFILE="production")
def test_production_refuses_to_start_half_configured(settings: Settings) -> None:
    assert any(line.startswith("AURUM_DATABASE__URL") for line in refusals_to_start(settings, "127.0.0.1"))
    assert refusals_to_start(settings.model_copy(update={"profile": "local"}), "127.0.0.1") == []


# --- access -----------------------------------------------------------------------------------------------------------


@shows(AURUM_ACCESS__MODE="required")
async def test_a_request_without_a_credential_is_refused(served: Served) -> None:
    assert (await served.client.get("/v2/series")).status_code == 401


@shows(AURUM_ACCESS__REMEMBERED_S="7")
@needs(AURUM_ACCESS__MODE="required", AURUM_CACHE__STALE_IF_ERROR_S="0")
async def test_a_credential_is_looked_up_again_after_so_long(served: Served, store: MemoryStore) -> None:
    text, parts = key_text(bytes(40))
    await put_plan(store.transactions, RatePlan("desk", 100, 100, 100, 1.0, 5), by=OPERATOR)
    await create_tenant(store.transactions, "acme", "Acme", "desk", by=OPERATOR)
    key = ApiKey(parts.key_id, "acme", "desk", ("user",), (), now(), "test")
    await insert_key(store.transactions, key, parts.digest)
    before = time.monotonic()
    remembered = await served.state["authenticator"].look_up(text.encode())
    assert before + 7 <= remembered.until <= time.monotonic() + 7


class Issuer:
    """An identity provider without a socket. ``fetched``: the requested addresses."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.fetched: list[str] = []
        self.away = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.fetched.append(str(request.url))
        if self.away:
            return httpx.Response(503)
        jwk = json.loads(jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).to_jwk(self._key.public_key()))
        return httpx.Response(200, json={"keys": [{**jwk, "kid": "k1", "alg": "ES256", "use": "sig"}]})

    def token(self, *, kid: str = "k1", **claims: object) -> str:
        standard = {
            "iss": "https://id.example",
            "aud": "desk",
            "sub": "somebody",
            "iat": now(),
            "exp": now() + timedelta(minutes=10),
        }
        standard |= {"org": {"tenant": "acme"}, "groups": {"aurum": ["user"]}}
        return jwt.encode({**standard, **claims}, self._key, algorithm="ES256", headers={"kid": kid})


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def verifier(settings: Settings, issuer: Issuer) -> AsyncIterator[TokenVerifier]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(issuer.answer)) as client:
        yield TokenVerifier(settings.access, client, IssuerProtection(settings.resilience))


ISSUED = needs(AURUM_ACCESS__ISSUER="https://id.example", AURUM_ACCESS__AUDIENCE="desk")


@shows(
    AURUM_ACCESS__ISSUER="https://id.example",
    AURUM_ACCESS__AUDIENCE="desk",
    AURUM_ACCESS__JWKS_URL="https://keys.example/all",
    AURUM_ACCESS__TENANT_CLAIM="org.tenant",
    AURUM_ACCESS__ROLES_CLAIM="groups.aurum",
    AURUM_ACCESS__LEEWAY_S="90",
)
async def test_a_token_of_the_issuer_for_the_audience_names_tenant_and_roles(verifier: TokenVerifier, issuer: Issuer) -> None:
    claims = await verifier.verify(issuer.token(exp=now() - timedelta(seconds=75)))
    assert (claims.tenant, claims.roles) == ("acme", ("user",))
    assert issuer.fetched == ["https://keys.example/all"]
    for wrong in ({"iss": "https://other.example"}, {"aud": "others"}, {"exp": now() - timedelta(seconds=200)}):
        with pytest.raises(InvalidToken):
            await verifier.verify(issuer.token(**wrong))


@shows(AURUM_ACCESS__ALGORITHMS='["RS256"]')
@ISSUED
async def test_tokens_with_another_algorithm_are_not_accepted(verifier: TokenVerifier, issuer: Issuer) -> None:
    with pytest.raises(InvalidToken, match="RS256"):
        await verifier.verify(issuer.token())


@shows(AURUM_ACCESS__JWKS_TTL_S="0.000001", AURUM_ACCESS__JWKS_PAUSE_S="0.000002")
@needs(AURUM_ACCESS__JWKS_URL="https://keys.example/all", AURUM_ACCESS__TENANT_CLAIM="org.tenant")
@ISSUED
async def test_keys_are_fetched_again_when_they_are_old_and_after_a_pause(verifier: TokenVerifier, issuer: Issuer) -> None:
    for _ in range(3):
        await verifier.verify(issuer.token())
    assert len(issuer.fetched) == 3
    issuer.away = True
    other = TokenVerifier(verifier._settings, verifier._client, IssuerProtection(Settings().resilience))
    with pytest.raises(IssuerAway) as caught:
        await other.verify(issuer.token())
    assert caught.value.retry_after == 0.000002


# --- logs and telemetry -----------------------------------------------------------------------------------------------


@pytest.fixture
def logs() -> Iterator[None]:
    """Restore logging after the test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configuration = structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configuration)


@shows(AURUM_LOGGING__LEVEL="ERROR", AURUM_LOGGING__FORMAT="json")
def test_lines_are_of_a_level_and_in_a_form(settings: Settings, logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings.logging)
    logging.getLogger("desk").warning("hidden")
    logging.getLogger("desk").error("shown")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "shown"


@contextmanager
def collecting() -> Iterator[tuple[int, SimpleQueue[tuple[str, dict[str, str], bytes]]]]:
    """Run a collector on loopback. Yields its port, and the queue of received path, headers and body."""
    sent: SimpleQueue[tuple[str, dict[str, str], bytes]] = SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.put((self.path, dict(self.headers.items()), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with running_server(server):
        yield server.server_port, sent


@shows(
    AURUM_TELEMETRY__ENDPOINT="http://127.0.0.1:4318",
    AURUM_TELEMETRY__HEADERS="x-team=desk",
    AURUM_TELEMETRY__NAMESPACE="trading",
    AURUM_TELEMETRY__METRICS_EVERY_S="0.001",
)
async def test_metrics_are_sent_to_the_collector_at_an_interval(settings: Settings) -> None:
    assert MetricsSender(Metrics(), settings.telemetry, "desk")._endpoint == "http://127.0.0.1:4318"
    with collecting() as (port, sent):
        here = settings.telemetry.model_copy(update={"endpoint": f"http://127.0.0.1:{port}"})
        metrics = Metrics()
        metrics.counter("requests_total", "Requests.", labels=()).values[()] = 1
        task = asyncio.create_task(send_metrics(metrics, here, "desk"))
        await asyncio.to_thread(sent.get, timeout=300)
        path, headers, body = await asyncio.to_thread(sent.get, timeout=300)
        task.cancel()
    assert (path, headers["x-team"]) == ("/v1/metrics", "desk")
    assert b"trading" in body


@shows(AURUM_TELEMETRY__SAMPLE_RATIO="0.25")
@needs(AURUM_TELEMETRY__ENDPOINT="http://127.0.0.1:1")
def test_a_share_of_traces_is_sent(settings: Settings) -> None:
    provider = tracer_provider(settings.telemetry, "desk")
    assert "{0.25}" in provider.sampler.get_description()
    provider.shutdown()


@shows(AURUM_TELEMETRY__CACHED_SLO_S="0.5", AURUM_TELEMETRY__HISTORY_SLO_S="2.5")
def test_objectives_are_those_of_the_settings(settings: Settings) -> None:
    tallies = RequestTallies(Metrics(), settings.telemetry)
    assert (tallies._limits["hit"], tallies._limits["stale"], tallies._otherwise) == (0.5, 0.5, 2.5)


@shows(AURUM_TELEMETRY__SLOW_QUERY_S="0.125")
async def test_slow_queries_are_logged_by_every_process(settings: Settings, database_url: str) -> None:
    settings = settings.model_copy(update={"database": DatabaseSettings(url=database_url)})
    async with open_store(settings) as opened:
        transactions = opened.transactions
        assert isinstance(transactions, PostgresTransactions)
        assert transactions._pool.slow.threshold_s == 0.125


# --- workers, checks, models ------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.2", 0)) as probe:
        return probe.getsockname()[1]


@shows(AURUM_WORKERS__METRICS_HOST="127.0.0.2", AURUM_WORKERS__METRICS_PORT="9")
def test_a_worker_serves_its_metrics_where_settings_say(settings: Settings) -> None:
    assert settings.workers.metrics_port == 9
    port = free_port()
    here = settings.workers.model_copy(update={"metrics_port": port})
    with served_health(here, Metrics(), live=lambda: (HTTPStatus.OK, {}), health=lambda: (HTTPStatus.OK, {})):
        assert httpx.get(f"http://127.0.0.2:{port}/metrics", trust_env=False, timeout=60).status_code == 200


class EndedProcess:
    """A process that ends as soon as it is started."""

    role, is_needed = "worker", False

    def ended(self) -> str:
        return "exit code 1"

    def start_again(self) -> None:
        pass


@shows(
    AURUM_SUPERVISION__FAILURES="4",
    AURUM_SUPERVISION__WITHIN_S="20",
    AURUM_SUPERVISION__FIRST_PAUSE_S="0.25",
    AURUM_SUPERVISION__LONGEST_PAUSE_S="0.75",
)
def test_a_process_that_ends_is_started_again_as_often_as_settings_say(settings: Settings) -> None:
    lines: list[str] = []
    times = [0.0, 0.25, 0.25, 0.75, 0.75, 1.5, 1.5]
    supervisor = Supervisor([EndedProcess()], settings.supervision, lines.append, lambda: times[0])
    while times:
        supervisor.look()
        del times[0]
    ended = "worker: ended (exit code 1)"
    again = [f"{ended}; it is started again in {pause} s" for pause in ("0.25", "0.5", "0.75")]
    assert [line for line in lines if "again in" in line] == again
    assert lines[-1] == f"{ended}, 4 failures within 20 s: it stays down, and the rest runs on"


@shows(AURUM_SUPERVISION__STATE_FILE="up.state")
async def test_the_health_of_the_worker_is_read_where_settings_say(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_state(tmp_path / "up.state", {"worker": "ended (exit code 1)"})
    (check,) = worker_checks(settings.supervision)
    assert (await check.look()).status == "down"


class ValidationLogStub:
    """A log that records which validations to delete."""

    def __init__(self) -> None:
        self.calls: list[Retention] = []

    async def forget_validations(self, keep: Retention, *, suites: object) -> int:
        self.calls.append(keep)
        return 0


@shows(AURUM_QUALITY__KEEP_DAYS="3", AURUM_QUALITY__KEEP_EACH="7")
async def test_validations_are_forgotten_by_age_and_number(settings: Settings) -> None:
    log = ValidationLogStub()
    before = now()
    await ValidationCleanup(log, settings.quality, SystemClock()).tidy(["prices"])  # type: ignore[arg-type]
    ((keep),) = log.calls
    assert before - timedelta(days=3) <= keep.since <= now() - timedelta(days=3)
    assert keep.each == 7


@shows(AURUM_DBT__TARGET="postgres", AURUM_DBT__SCHEMA_NAME="desk", AURUM_DBT__THREADS="7", AURUM_DBT__ROLE="reader")
def test_models_are_built_where_and_as_settings_say(settings: Settings) -> None:
    set_variables = variables(settings.dbt, DatabaseSettings(url="postgresql://aurum@db/aurum"), model_paths(settings))
    names = ("AURUM_DBT_TARGET", "AURUM_DBT_SCHEMA", "AURUM_DBT_THREADS", "AURUM_DBT_POSTGRES_ROLE")
    assert [set_variables[name] for name in names] == ["postgres", "desk", "7", "reader"]


@shows(AURUM_DBT__TRINO_URL="trinos://desk@trino:8443/lake", AURUM_DBT__TRINO_STORE="prices")
@needs(AURUM_DBT__TARGET="trino")
def test_models_in_trino_are_built_there_over_its_catalog_of_the_store(settings: Settings) -> None:
    set_variables = variables(settings.dbt, settings.database, model_paths(settings))
    names = ("AURUM_DBT_TRINO_HOST", "AURUM_DBT_TRINO_CATALOG", "AURUM_DBT_STORE_CATALOG")
    assert [set_variables[name] for name in names] == ["trino", "lake", "prices"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of a dbt project."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "dbt_project.yml").write_text("name: desk\n")
    return folder


@shows(AURUM_DBT__PROJECT_DIR="models")
def test_models_are_those_of_a_project_elsewhere(project: Path, settings: Settings) -> None:
    assert model_paths(settings).project == project


@shows(AURUM_DBT__TIMEOUT_S="0.01", AURUM_DBT__GRACE_S="0.02")
async def test_a_run_that_takes_too_long_is_stopped_and_then_killed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    graces: list[float] = []

    class Endless:
        def __aiter__(self) -> Endless:
            return self

        async def __anext__(self) -> bytes:
            await asyncio.Event().wait()
            raise StopAsyncIteration

    class Process:
        stdout = Endless()

    @asynccontextmanager
    async def child(_arguments: object, _variables: object, *, grace_s: float) -> AsyncIterator[Process]:
        graces.append(grace_s)
        yield Process()

    monkeypatch.setattr("aurum.pipelines.models.run._python_process", child)
    unused: Any = None
    runner = ModelRunner(
        settings=settings.dbt,
        database=settings.database,
        paths=model_paths(settings),
        registry=unused,
        clock=unused,
        catalog=unused,
        export=unused,
        copy=unused,
        calendars=unused,
        log=unused,
        history=None,
    )
    with pytest.raises(BuildTooLong):
        await runner._run_dbt(Invocation(Verb.BUILD), {})
    assert graces == [0.02]
