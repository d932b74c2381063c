"""Alerts, dashboard, scrape configuration and guide of operators name only metrics that a process exposes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from aurum.api.testing import serving
from aurum.assembly.postgres import open_store
from aurum.common.settings import DatabaseSettings, RedisSettings, Settings
from aurum.common.settings.workers import WorkersSettings
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.prometheus import PrometheusView
from aurum.workers.jobs import default_jobs
from aurum.workers.main import JOBS
from aurum.workers.service import Service

ROOT = Path(__file__).parents[1]
INFRA = ROOT / "infra"
GUIDE = ROOT / "docs/guides/watching.md"
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((INFRA / "prometheus/alerts.yml").read_text())["groups"] for rule in group["rules"]
]
BOARD: dict[str, Any] = json.loads((INFRA / "grafana/dashboards/aurum.json").read_text())
OF_PROMETHEUS = {"up"}


def expressions() -> Iterator[tuple[str, str]]:
    """Yield each expression with the name of its alert, panel or variable."""
    for rule in ALERTS:
        yield rule.get("alert") or rule["record"], rule["expr"]
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            yield f"panel {panel['title']}", target["expr"]
    for variable in BOARD["templating"]["list"]:
        yield f"variable {variable['name']}", re.sub(r"label_values\((.*), \w+\)", r"\1", variable["query"]["query"])


def named(expression: str) -> set[str]:
    """Return the metrics in an expression: names that are not functions, keywords or labels."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|without|on|ignoring)\s*\([^)]*\)", " ", bare)
    names = re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w)(?!\s*\()", bare)
    return set(names) - {"and", "or", "unless", "sum", "max", "min", "avg", "count"}


def exposed(text: str) -> set[str]:
    """Return the names of samples in a Prometheus text, including metrics without samples yet."""
    names: set[str] = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE):
        names |= {f"{name}_bucket", f"{name}_count", f"{name}_sum"} if kind == "histogram" else {name}
    return names


def labels(text: str) -> set[str]:
    return set(re.findall(r'[{,](\w+)="', text))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def texts(shared_database_url: str) -> tuple[str, str]:
    """The metrics of the API and of a worker as Prometheus text."""
    settings = Settings(database=DatabaseSettings(url=shared_database_url), redis=RedisSettings(url=None))
    async with serving(settings) as served:
        await served.client.get("/v2/catalog/sources")
        api = (await served.client.get("/metrics")).text
    metrics = Metrics()
    settings = settings.model_copy(update={"redis": RedisSettings(url="redis://127.0.0.1:1/0")})
    async with open_store(settings) as store:
        Service(settings, store, default_jobs(), JOBS, metrics, None)
        worker = (await asyncio.to_thread(PrometheusView(metrics).text)).decode()
    return api, worker


def test_every_metric_in_an_expression_is_exposed(texts: tuple[str, str]) -> None:
    recorded = {rule["record"] for rule in ALERTS if "record" in rule}
    known = exposed(texts[0]) | exposed(texts[1]) | recorded | OF_PROMETHEUS
    unknown = {where: missing for where, expression in expressions() if (missing := named(expression) - known)}
    assert unknown == {}


def test_no_metric_has_a_label_that_prometheus_would_rename(texts: tuple[str, str]) -> None:
    assert not {"job", "instance"} & (labels(texts[0]) | labels(texts[1]))


def test_names_are_found_in_expressions() -> None:
    """Otherwise the tests above would check nothing."""
    expression = 'sum by (le, a) (rate(x_bucket{a=~"b|c_d"}[5m])) / 12 > 0.5 and on (q) max(y:z_30m) > 60 * 0.001'
    assert named(expression) == {"x_bucket", "y:z_30m"}


@pytest.mark.parametrize("rule", [rule for rule in ALERTS if "alert" in rule], ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    assert "docs/guides/watching.md" in rule["annotations"]["runbook"]
    assert f"`{rule['alert']}`" in GUIDE.read_text()


def test_the_guide_names_only_existing_alerts() -> None:
    assert set(re.findall(r"`(Aurum[A-Z]\w+)`", GUIDE.read_text())) == {rule["alert"] for rule in ALERTS if "alert" in rule}


@pytest.mark.parametrize(("where", "expression"), list(expressions()), ids=lambda value: value[:40])
def test_brackets_of_an_expression_match(where: str, expression: str) -> None:
    bare = re.sub(r'"[^"]*"', "", expression)
    for opened, closed in ("()", "[]", "{}"):
        assert bare.count(opened) == bare.count(closed), where


def test_availability_burns_at_the_rates_of_the_objective() -> None:
    windows = {
        (window, factor)
        for rule in ALERTS
        if rule.get("alert", "").startswith("AurumAvailabilityBurns")
        for window, factor in re.findall(r"ratio_rate(\w+)\{.*\} > (\d+) \* 0\.001$", rule["expr"], re.MULTILINE)
    }
    assert {("1m", "60"), ("5m", "12"), ("30m", "2")} <= windows


def test_panels_of_the_board_do_not_overlap_and_ask_the_provisioned_source() -> None:
    source = yaml.safe_load((INFRA / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    occupied: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & occupied, panel["title"]
        occupied |= cells
        assert panel["type"] == "row" or panel["datasource"]["uid"] == source["uid"]


def test_prometheus_scrapes_the_services_of_the_compose_file_with_a_key_for_the_api() -> None:
    scraped = yaml.safe_load((INFRA / "prometheus/prometheus.yml").read_text())
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    targets = {
        job["job_name"]: target
        for job in scraped["scrape_configs"]
        for one in job["static_configs"]
        for target in one["targets"]
    }
    assert targets == {"aurum-api": "api:8000", "aurum-worker": f"worker:{WorkersSettings().metrics_port}"}
    assert {target.partition(":")[0] for target in targets.values()} <= set(compose["services"])
    (api,) = [job for job in scraped["scrape_configs"] if job["job_name"] == "aurum-api"]
    secret = Path(api["authorization"]["credentials_file"]).name
    assert secret in compose["services"]["prometheus"]["secrets"]
    assert scraped["rule_files"] == ["alerts.yml"]


def test_prometheus_and_grafana_are_optional_and_listen_on_loopback() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("prometheus", "grafana"):
        assert services[name]["profiles"] == ["observe"]
        assert all(port.startswith("127.0.0.1:") for port in services[name]["ports"])
