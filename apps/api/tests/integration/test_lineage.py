"""The lineage of numbers over HTTP: files that were loaded as operators load them, jobs that find numbers in them, tenants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from api_curves import BASE, OWN, Desk, Desks, serving_desks

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings import FilesSettings
from aurum.core.curves.product_documents import default_products
from aurum.core.jobs.states import Queue
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.loading.stored_place import find_places
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.services.jobs.definitions import LocateNumber
from aurum.services.lineage import NumberReaders
from aurum.services.observations import Reading
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.testing.stores import Store

pytestmark = pytest.mark.needs_process

PATH = "/v2/catalog/lineage"
DE = "power:DE:base:EEX"
NYC = "nyiso:damlbmp_zone:61761:lmp"
HEADER = "Identifier;TimeStamp;Begin;End;Open;High;Low;Close;Settlement;Price;ValidationStatus;ChangeComment\n"
MARCH = "2025-03-01T00:00:00.000+0100;2025-04-01T00:00:00.000+0200"
PRICES = (
    "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)\n"
    "11/05/2025 00:00,N.Y.C.,61761,51.52,2.92,0.00\n11/05/2025 01:00,N.Y.C.,61761,49.10,2.50,-1.00\n"
)
OWN_PRODUCT = {"key": OWN, "title": "Marks", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power", "seasons": "europe"}
ROW = {"trade_date": "2024-10-14", "product": OWN, "period": "Q1-25", "settle": 97.0}


def settlements(settle: str) -> SourceFile:
    row = f"EEX_POWER_FUT_DE_BASE_M;2025-01-15T00:00:00.000+0100;{MARCH};;;;;{settle};;UNVALIDATED;\n"
    return SourceFile("EEX_POWER_FUT_DE_BASE_M_2025.csv", (HEADER + row).encode())


@dataclass(frozen=True)
class Site:
    """A service, its store, and a machine with stored files and a worker."""

    desks: Desks
    store: Store
    files: RawFiles
    isolated: IsolatedFiles
    folder: Path

    async def load(self, document: SourceFile, known_at: str | None = None) -> None:
        ingestion = Ingestion(
            registry=default_registry(),
            suites=read_suites(contracts_directory(None) / "expectations"),
            loader=self.store.loader,
            raw_files=self.files,
        )
        report = await ingestion.ingest(document, known_at=KnownAtPolicy.parse(known_at))
        assert report.outcome is FileOutcome.APPLIED, report.reason

    async def work(self) -> int:
        """Run the jobs that wait, as a worker does, and return their number."""
        claims = await self.store.worker_log.claim("worker", Queue.INTERACTIVE, names=["lineage.locate"], limit=9)
        for claim in claims:
            shared = Reading(self.store.catalog, self.store.reader, loaded=self.store.loaded, files=self.store.files)
            readers = NumberReaders(shared, self.store.curves, self.store.lineage, self.store.private)
            wanted = await readers.wanted(LocateNumber.model_validate(claim.payload), now=SystemClock().now())
            places = find_places(self.files, self.isolated, wanted)
            async with self.store.transactions.transaction(by=Actor("worker")) as tx:
                await tx.jobs.succeed(claim.job_id, claim.attempt, {"places": list(map(asdict, places))})
        return len(claims)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore(SystemClock()) if request.param == "memory" else request.getfixturevalue("postgres_store")


@pytest_asyncio.fixture(loop_scope="session")
async def site(store: Store, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    url = None if isinstance(store, MemoryStore) else request.getfixturevalue("database_url")
    async with store.transactions.transaction(by=Actor("test")) as tx:
        await tx.curve_reference.declare(default_products())
    isolated = IsolatedFiles(FilesSettings())
    files = RawFiles(tmp_path / "quarantine", choice="all")
    async with serving_desks(store, url, tmp_path / "service") as desks:
        yield Site(desks, store, files, isolated, tmp_path)
    isolated.close()


async def answered(desk: Desk, **params: str) -> dict[str, Any]:
    response = await desk.get(PATH, **params)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return response.json()


async def test_an_observation_is_followed_to_the_line_of_its_file(site: Site) -> None:
    await site.load(SourceFile("20251105damlbmp_zone.csv", PRICES.encode(), "november.zip"))
    number = {"series": NYC, "start": "2025-11-05T06:00:00Z"}
    first = await answered(site.desks.of(), **number)
    (file,) = first["data"]["files"]
    assert (first["data"]["value"], first["meta"]["pending"]) == (49.1, True)
    assert (file["role"], file["how"], file["name"], file["archive"]) == (
        "brought",
        "file",
        "20251105damlbmp_zone.csv",
        "november.zip",
    )
    assert (file["size"], file["source"], file["dataset"]) == (len(PRICES), "nyiso", "damlbmp_zone")
    assert file["place"]["state"] == "pending"
    assert await site.work() == 1
    again = await answered(site.desks.of(), **number)
    place = again["data"]["files"][0]["place"]
    assert (place["state"], place["line"], place["counts"], place["verified"]) == ("located", 3, "line", True)
    assert (place["text"], place["value"]) == ("11/05/2025 01:00,N.Y.C.,61761,49.10,2.50,-1.00", 49.1)
    assert place["parser"] == again["data"]["files"][0]["parser"]
    assert (again["meta"]["pending"], await site.work()) == (False, 0)


async def test_each_version_of_a_quote_that_was_corrected_twice_names_its_own_file(site: Site) -> None:
    versions = (("40,50", None, "2025-01-20"), ("40,75", "2025-02-01", "2025-02-02"), ("41,00", "2025-02-03", "2026-01-01"))
    for settle, known_at, _ in versions:
        await site.load(settlements(settle), known_at=known_at and f"{known_at}T09:00:00Z")
    number = {"curve": DE, "trade_date": "2025-01-15", "period": "Mar-25"}
    answers = [await answered(site.desks.of(), **number, as_of=as_of) for _, _, as_of in versions]
    assert [one["data"]["value"] for one in answers] == [40.5, 40.75, 41.0]
    assert [one["data"]["known_at_basis"] for one in answers] == ["scheduled", "stated", "stated"]
    assert len({one["data"]["files"][0]["digest"] for one in answers}) == 3
    assert await site.work() == 3
    for settle, _, as_of in versions:
        file = (await answered(site.desks.of(), **number, as_of=as_of))["data"]["files"][0]
        place, value = file["place"], float(settle.replace(",", "."))
        assert (file["role"], place["line"], place["value"], place["verified"]) == ("brought", 2, value, True)
        assert (place["column"], place["column_number"]) == ("Settlement", 9)


async def test_a_file_that_cannot_hold_the_number_is_not_searched_once_another_one_has_it(site: Site) -> None:
    await site.load(settlements("40,50"))
    quarter = "EEX_POWER_FUT_DE_BASE_Q;2025-01-15T00:00:00.000+0100;2025-04-01T00:00:00.000+0200;2025-07-01T00:00:00.000+0200"
    await site.load(SourceFile("EEX_POWER_FUT_DE_BASE_Q_2025.csv", f"{HEADER}{quarter};;;;;44,25;;UNVALIDATED;\n".encode()))
    number = {"curve": DE, "trade_date": "2025-01-15", "period": "Mar-25"}
    await answered(site.desks.of(), **number)
    assert await site.work() == 1
    brought, other = (await answered(site.desks.of(), **number))["data"]["files"]
    assert (brought["role"], brought["place"]["state"]) == ("brought", "located")
    assert (other["role"], other["place"]["state"]) == ("may_hold", "not_requested")
    assert other["place"]["why"] == "another of its files has the number"


async def test_a_file_that_was_deleted_says_that_it_is_not_stored_until_it_is_loaded_again(site: Site) -> None:
    await site.load(settlements("40,50"))
    for path in (site.folder / "raw").rglob("*.gz"):
        path.unlink()
    number = {"curve": DE, "trade_date": "2025-01-15", "period": "Mar-25"}
    await answered(site.desks.of(), **number)
    await site.work()
    place = (await answered(site.desks.of(), **number))["data"]["files"][0]["place"]
    assert (place["state"], place["line"]) == ("not_stored", None)
    assert "load the file again with --force" in place["why"]


async def test_a_place_that_is_not_asked_for_costs_no_job(site: Site) -> None:
    await site.load(settlements("40,50"))
    number = {"curve": DE, "trade_date": "2025-01-15", "period": "Mar-25", "locate": "false"}
    place = (await answered(site.desks.of(), **number))["data"]["files"][0]["place"]
    assert (place["state"], await site.work()) == ("not_requested", 0)


async def test_quotes_that_a_tenant_sent_are_its_own_and_in_no_file(site: Site) -> None:
    acme, bolt = site.desks.of("acme"), site.desks.of("bolt")
    assert (await acme.send("POST", "/v2/products", json=OWN_PRODUCT)).status_code == 201
    sent = await acme.send("POST", "/v2/curves/quotes", json={"data": [ROW]})
    assert sent.status_code in (200, 201), sent.text
    number = {"curve": OWN, "trade_date": "2024-10-14", "period": "Q1-25"}
    (file,) = (await answered(acme, **number))["data"]["files"]
    assert (file["how"], file["sent_by"], file["place"]["state"]) == ("request", "key", "no_file")
    refused = await bolt.get(PATH, **number)
    assert refused.status_code == 404
    assert (await answered(acme, **number))["data"]["value"] == 97.0


async def test_a_quote_of_a_derived_curve_names_the_curves_that_it_is_computed_from(site: Site) -> None:
    acme, key, expression = site.desks.of("acme"), "power:XO:base:LESS", {"op": "shift", "curve": OWN, "by": -1.0}
    assert (await acme.send("POST", "/v2/products", json=OWN_PRODUCT)).status_code == 201
    assert (await acme.send("POST", "/v2/curves/quotes", json={"data": [ROW]})).status_code in (200, 201)
    added = await acme.send("POST", "/v2/curves/derived", json={"key": key, "expression": expression})
    assert added.status_code == 201, added.text
    number = {"trade_date": "2024-10-14", "period": "Q1-25"}
    data = (await answered(acme, curve=key, **number))["data"]
    assert (data["value"], [one["how"] for one in data["files"]]) == (96.0, ["computed"])
    assert data["computed_by"] == {
        "derived_id": added.json()["data"]["derived_id"],
        "expression": added.json()["data"]["expression"],
        "inputs": [OWN],
    }
    assert (await answered(acme, curve=OWN, **number))["data"]["computed_by"] is None


async def test_a_private_series_of_another_tenant_is_unknown(site: Site) -> None:
    acme, bolt = site.desks.of("acme"), site.desks.of("bolt")
    terms = {"unit": "MW", "frequency": "1h", "zone": "UTC", "title": "Meter"}
    declared = await acme.send("PUT", "/v2/private/series/meter", json=terms)
    assert declared.status_code in (200, 201), declared.text
    points = {"data": [{"start": "2025-11-05T06:00:00Z", "value": 7.5}]}
    stored = await acme.send("PUT", "/v2/private/series/meter/observations", json=points)
    assert stored.status_code in (200, 201), stored.text
    number = {"series": "private:series:meter:value", "start": "2025-11-05T06:00:00Z"}
    data = (await answered(acme, **number))["data"]
    assert (data["value"], data["files"][0]["how"], data["files"][0]["sent_by"]) == (7.5, "request", "key")
    assert (await bolt.get(PATH, **number)).status_code == 404


async def test_the_scope_of_curves_is_needed_for_quotes(site: Site) -> None:
    response = await site.desks.of("acme", "market").get(PATH, curve=BASE, period="Jan-25")
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "series"),
        ({"series": NYC, "curve": DE, "start": "2025-11-05T06:00:00Z"}, "series"),
        ({"series": NYC}, "start"),
        ({"curve": DE}, "period"),
        ({"series": NYC, "start": "2025-11-05T06:00:00Z", "period": "Mar-25"}, "period"),
        ({"curve": DE, "period": "Mar-25", "start": "2025-11-05T06:00:00Z"}, "start"),
        ({"curve": BASE, "period": "Foo-25"}, "period"),
        ({"curve": BASE, "period": "Jan-25", "field": "mid"}, "field"),
        ({"curve": BASE, "period": "Jan-25", "trade_date": "soon"}, "trade_date"),
        ({"curve": BASE, "period": "Jan-25", "wait": "11"}, "wait"),
    ],
)
async def test_a_question_that_names_no_single_number_names_the_field(site: Site, params: dict[str, str], field: str) -> None:
    response = await site.desks.of().get(PATH, **params)
    assert response.status_code == 422, response.text
    assert field in [error["field"] for error in response.json()["errors"]]


async def test_a_number_that_is_not_there_names_what_is_missing(site: Site) -> None:
    desk = site.desks.of()
    no_period = await desk.get(PATH, curve=BASE, trade_date="2024-10-14", period="Jul-25")
    assert (no_period.status_code, no_period.json()["missing"]) == (404, "period")
    (wrong,) = no_period.json()["errors"]
    assert (wrong["field"], wrong["value"]) == ("period", "Jul-25")
    assert no_period.json()["detail"] == f"period: {wrong['message']}"
    assert "Q2-25" in no_period.json()["nearest"]
    no_day = await desk.get(PATH, curve=BASE, trade_date="2024-10-13", period="Jan-25")
    assert (no_day.status_code, no_day.json()["missing"]) == (404, "trade_date")
    await site.load(SourceFile("20251105damlbmp_zone.csv", PRICES.encode()))
    no_start = await desk.get(PATH, series=NYC, start="2025-11-05T09:00:00Z")
    assert (no_start.status_code, no_start.json()["missing"]) == (404, "start")
    inside = await desk.get(PATH, series=NYC, start="2025-11-05T05:30:00Z")
    assert inside.status_code == 422
    assert "from 2025-11-05T05:00:00Z to 2025-11-05T06:00:00Z" in inside.json()["detail"]
    unknown = await desk.get(PATH, series=f"{NYC}s", start="2025-11-05T05:00:00Z")
    assert (unknown.status_code, unknown.json()["nearest"][0]) == (404, NYC)
    no_curve = await desk.get(PATH, curve=f"{BASE}S", period="Jan-25")
    assert [one.json()["errors"][0]["field"] for one in (no_day, no_start, unknown, no_curve)] == [
        "trade_date",
        "start",
        "series",
        "curve",
    ]


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59.999999Z", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01"])
async def test_a_start_at_the_end_of_the_calendar_is_refused(site: Site, start: str) -> None:
    await site.load(SourceFile("20251105damlbmp_zone.csv", PRICES.encode()))
    refused = await site.desks.of().get(PATH, series=NYC, start=start)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "start"), refused.text


@pytest.mark.parametrize(
    "changed",
    [
        {"trade_date": "0001-01-01"},
        {"trade_date": "9999-12-31"},
        {"trade_date": "1970-01-01"},
        {"trade_date": "2199-12-31"},
        {"period": "0001-01-01..9999-12-31"},
        {"period": "9999-12-31..9999-12-31"},
        {"period": "9999-12-31"},
        {"period": "0001"},
        {"period": "W53-9999"},
        {"period": "2199-12-31"},
        {"period": "2199"},
        {"period": "BOM", "trade_date": "2199-12-31"},
        {"as_of": "0001-01-01T00:00:00Z"},
        {"as_loaded": "0001-01-01T00:00:00Z"},
        {"as_of": "9999-12-31T23:59:59.999999Z", "period": "2199"},
    ],
)
async def test_absurd_dates_of_a_quote_are_refused_or_not_there(site: Site, changed: dict[str, str]) -> None:
    number = {"curve": BASE, "trade_date": "2024-10-14", "period": "Jan-25"}
    response = await site.desks.of().get(PATH, **(number | changed))
    assert response.status_code in (404, 422), response.text
