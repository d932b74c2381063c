"""The lineage of observations and quotes: versions, files, restatements, tenants, and errors that say what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date, datetime

import polars as pl
import pytest

from aurum.common.clock import SystemClock
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.catalog.mapping_kinds import ANY_SCOPE, MappingKind
from aurum.core.errors import InvalidParameters, NotFound, UnknownName
from aurum.core.jobs.states import JobState, Queue
from aurum.core.lineage import Place, PlaceState, SoughtPoint, SoughtQuote, Unit
from aurum.core.restatement import MOVES
from aurum.services.curves import CurveReading
from aurum.services.jobs.definitions import LocateNumber
from aurum.services.lineage import (
    Lineage,
    NoSuchNumber,
    NumberReaders,
    OfCurve,
    OfSeries,
    PlaceJobs,
    file_to_search,
    lineage_of_observation,
    lineage_of_quote,
)
from aurum.services.lineage.locating import LOOK_EVERY_S
from aurum.services.observations import Reading
from aurum.storage.ports.access import Actor
from aurum.storage.ports.files import FileLoad, LoadRequest
from aurum.storage.ports.lineage import LineageReader
from aurum.storage.ports.mappings import NewMapping
from aurum.storage.ports.observations import RuleDated
from aurum.storage.ports.recordings import RecordingAction
from aurum.storage.testing.builders import KEY, day, file_load, hour
from aurum.storage.testing.curves import D0, add_product, month_of, quotes_file, trade_day
from aurum.storage.testing.stores import Store, series_named

CURVE = "power:XX:base:INVENTED"
BY = Actor("operator")
NOW = SystemClock().now()
FEB = "Feb-30"
"""The delivery month 1 of the builder."""


async def load(store: Store, file: FileLoad, name: str, *, request: LoadRequest | None = None) -> int:
    named = replace(file, record=replace(file.record, name=name), request=request)
    return (await store.loader.load(named)).file_id


async def of_point(store: Store, start: object, **known: datetime | str | None) -> Lineage:
    reading = Reading(store.catalog, store.reader, loaded=store.loaded, files=store.files)
    instant = hour(start) if isinstance(start, int | float) else str(start)
    return await lineage_of_observation(reading, store.lineage, KEY, instant, now=NOW, **known)


async def of_quote(
    store: Store, period: str = FEB, trade_date: date | str = D0, *, tenant: str | None = None, field: str = "settle", **known
) -> Lineage:
    reading = CurveReading(store.curves, Reading(store.catalog, store.reader, loaded=store.loaded), tenant)

    def records(owner: str | None) -> LineageReader:
        return store.lineage if owner is None else store.private.of(owner).lineage

    return await lineage_of_quote(reading, records, CURVE, period, trade_date=trade_date, field=field, now=NOW, **known)


def files(lineage: Lineage) -> Sequence[tuple[str, str]]:
    return [(str(one.role), one.file.name) for one in lineage.origins]


# --- observations -----------------------------------------------------------------------------------------------------


async def test_an_observation_names_the_file_its_known_time_and_its_basis(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.5), (1, 1, 2.0)], known_at=day(1)), "first.csv")
    lineage = await of_point(store, 0)
    assert lineage.number == OfSeries(KEY, hour(0), hour(1))
    assert (lineage.value, lineage.unit, lineage.known_at, lineage.basis) == (1.5, "MW", day(1), "published")
    assert [(one.known_at, one.value, one.superseded_at) for one in lineage.versions] == [(day(1), 1.5, None)]
    assert files(lineage) == [("brought", "first.csv")]
    assert lineage.sought == SoughtPoint("invented", "numbers", "A", "value", hour(0), 1.5)


async def test_a_corrected_observation_names_the_file_of_the_version_that_as_of_asks_for(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.0), (1, 1, 1.0)]), "first.csv")
    await load(store, file_load([(0, 3, 3.0), (1, 3, 1.0)]), "second.csv")
    now, then = await of_point(store, 0), await of_point(store, 0, as_of=day(2))
    assert (now.value, files(now)) == (3.0, [("brought", "second.csv")])
    assert (then.value, files(then)) == (1.0, [("brought", "first.csv")])
    assert [(one.value, one.superseded_at) for one in now.versions] == [(1.0, day(3)), (3.0, None)]
    assert [(one.value, one.superseded_at) for one in then.versions] == [(1.0, None)]
    # The other hour was repeated, so it is still the first file's.
    assert files(await of_point(store, 1)) == [("brought", "first.csv")]


async def test_as_loaded_names_what_the_store_had_then(store: Store) -> None:
    await load(store, file_load([(0, 2, 1.0)]), "late.csv")
    then = await store.loaded.latest()
    await load(store, file_load([(0, 1, 5.0), (-1, 1, 5.0)]), "earlier news.csv")
    assert (await of_point(store, 0, as_of=day(1))).value == 5.0
    lineage = await of_point(store, 0, as_loaded=then)
    assert (lineage.value, files(lineage)) == (1.0, [("brought", "late.csv")])
    with pytest.raises(NoSuchNumber, match="that was known at"):
        await of_point(store, 0, as_of=day(1), as_loaded=then)


async def test_another_file_with_the_same_known_time_may_hold_the_number_too(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.0), (1, 1, 2.0)], known_at=day(1)), "first.csv")
    await load(store, file_load([(0, 1, 1.0), (2, 1, 2.0)], known_at=day(1)), "again.csv")
    assert files(await of_point(store, 0)) == [("brought", "first.csv"), ("may_hold", "again.csv")]


async def test_of_two_contents_known_at_one_time_the_greater_names_its_file(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.0), (1, 1, 2.0)], known_at=day(1)), "first.csv")
    await load(store, file_load([(0, 1, 9.0)], known_at=day(1)), "tie.csv")
    lineage = await of_point(store, 0)
    assert (lineage.value, files(lineage)[0]) == (9.0, ("brought", "tie.csv"))


async def test_scheduled_known_times_name_their_basis_and_the_file(store: Store) -> None:
    file = file_load([(0, 1, 1.0), (24, 2, 2.0)], rule=RuleDated(), basis=KnownAtBasis.INGESTED)
    await load(store, file, "backfill.csv")
    lineage = await of_point(store, 0)
    assert (lineage.known_at, lineage.basis, files(lineage)) == (day(1), "scheduled", [("brought", "backfill.csv")])


async def test_a_file_with_several_vintages_brought_each_of_them(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.0), (0, 4, 2.0), (0, 9, 3.0)]), "vintages.csv")
    for as_of, value in ((2, 1.0), (5, 2.0), (10, 3.0)):
        lineage = await of_point(store, 0, as_of=day(as_of))
        assert (lineage.value, files(lineage)) == (value, [("brought", "vintages.csv")])
    await load(store, file_load([(0, 2, 1.5), (0, 7, 2.5)]), "more vintages.csv")
    assert files(await of_point(store, 0, as_of=day(3)))[0] == ("brought", "more vintages.csv")


async def test_a_restated_observation_names_its_file_and_the_restatement(store: Store) -> None:
    await load(store, file_load([(0, 5, 1.5), (1, 5, 2.5)], known_at=day(5)), "first.csv")
    series = await series_named(store, KEY)
    moves = pl.DataFrame([(series.series_id, hour(0), day(5), day(1))], schema=MOVES, orient="row")
    async with store.transactions.transaction(by=BY) as tx:
        recording_id = await tx.recordings.begin()
        await tx.restater.restate(moves, recording_id=recording_id)
        await tx.recordings.seal(recording_id, RecordingAction.RESTATEMENT, [])
    lineage = await of_point(store, 0)
    assert (lineage.known_at, lineage.basis, files(lineage)) == (day(1), "scheduled", [("brought", "first.csv")])
    assert [(one.known_from, one.known_to) for one in lineage.restatements] == [(day(5), day(1))]
    assert (await of_point(store, 1)).restatements == ()


async def test_a_start_within_an_interval_names_the_interval(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.0), (1, 1, 2.0)]), "first.csv")
    with pytest.raises(InvalidParameters, match="is within the interval from 2025-01-01T01:00:00Z to 2025-01-01T02:00:00Z"):
        await of_point(store, 1.25)


async def test_a_start_without_an_observation_names_the_nearest_ones(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.0), (5, 1, 2.0)]), "first.csv")
    with pytest.raises(NoSuchNumber) as error:
        await of_point(store, 3)
    assert error.value.facts["missing"] == "start"
    assert error.value.facts["nearest"] == ["2025-01-01T00:00:00Z", "2025-01-01T05:00:00Z"]
    with pytest.raises(NoSuchNumber) as far:
        await of_point(store, "1999-01-01T00:00:00Z")
    assert far.value.facts["nearest"] == ["2025-01-01T00:00:00Z", "2025-01-01T05:00:00Z"]


async def test_an_unknown_series_names_the_nearest(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.0)]), "first.csv")
    reading = Reading(store.catalog, store.reader)
    with pytest.raises(UnknownName, match=KEY):
        await lineage_of_observation(reading, store.lineage, f"{KEY}s", hour(0), now=NOW)


# --- quotes -----------------------------------------------------------------------------------------------------------


async def test_a_quote_names_the_file_of_the_version_that_as_of_asks_for(store: Store) -> None:
    await add_product(store, CURVE)
    await load(store, quotes_file([(0, 1, 1, 40.0), (0, 2, 1, 7.0)], key=CURVE, known_at=day(1)), "first.csv")
    await load(store, quotes_file([(0, 1, 3, 41.0)], key=CURVE, known_at=day(3)), "second.csv")
    now, then = await of_quote(store), await of_quote(store, as_of=day(2))
    assert (now.value, now.basis, files(now)) == (41.0, "published", [("brought", "second.csv")])
    assert (then.value, files(then)) == (40.0, [("brought", "first.csv")])
    assert [(one.value, one.superseded_at) for one in now.versions] == [(40.0, day(3)), (41.0, None)]
    assert isinstance(now.number, OfCurve)
    assert (now.number.period.period.label, now.number.trade_date, now.number.field) == (FEB, D0, "settle")
    assert now.sought == SoughtQuote(CURVE, D0, *month_of(1), "settle", 41.0)


async def test_an_unpriced_quote_is_a_value_with_a_lineage(store: Store) -> None:
    await add_product(store, CURVE)
    await load(store, quotes_file([(0, 1, 1, None)], key=CURVE), "first.csv")
    lineage = await of_quote(store)
    assert (lineage.value, files(lineage)) == (None, [("brought", "first.csv")])


async def test_a_quote_that_is_not_there_names_what_is_missing_and_the_nearest(store: Store) -> None:
    await add_product(store, CURVE)
    await load(store, quotes_file([(0, 1, 1, 40.0), (3, 1, 4, 41.0), (3, 2, 4, 41.0)], key=CURVE), "first.csv")
    with pytest.raises(NoSuchNumber) as no_day:
        await of_quote(store, trade_date=trade_day(1))
    assert (no_day.value.facts["missing"], no_day.value.facts["nearest"]) == ("trade_date", ["2030-01-01", "2030-01-04"])
    with pytest.raises(NoSuchNumber) as no_period:
        await of_quote(store, "Apr-30", trade_date=trade_day(3))
    assert (no_period.value.facts["missing"], no_period.value.facts["nearest"]) == ("period", ["Mar-30", "Feb-30"])
    for field, text in (("mid", "ask for bid and for ask"), ("setle", "must be one of settle")):
        with pytest.raises(InvalidParameters, match=text):
            await of_quote(store, field=field)


@pytest.fixture
async def desk(store: Store) -> str:
    async with store.transactions.transaction(by=BY) as tx:
        for tenant in ("desk", "rival"):
            await tx.tenants.insert(tenant, tenant.title(), "basic")
    await add_product(store, CURVE, tenant="desk")
    return "desk"


async def test_quotes_of_a_tenant_have_a_lineage_for_it_alone(store: Store, desk: str) -> None:
    request = LoadRequest(Actor("key:7"), "curves.store", CURVE)
    await load(store, quotes_file([(0, 1, 1, 40.0)], key=CURVE, tenant=desk), "POST /v2/curves/quotes", request=request)
    lineage = await of_quote(store, tenant=desk)
    assert (lineage.tenant, lineage.value, lineage.origins[0].file.sent_by) == (desk, 40.0, "key:7")
    for other in ("rival", None):
        with pytest.raises(UnknownName):
            await of_quote(store, tenant=other)


# --- places -----------------------------------------------------------------------------------------------------------


def place_jobs(store: Store, tenant: str | None = None) -> PlaceJobs:
    async def no_pause(seconds: float) -> None:
        raise AssertionError("there is no worker to wait for")

    log = store.files if tenant is None else store.private.of(tenant).files
    return PlaceJobs(store.transactions, store.jobs, log, store.curves, store.mappings, BY, tenant, no_pause)


async def test_one_job_looks_for_a_number_however_often_it_is_asked_for(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.5)]), "first.csv")
    lineage = await of_point(store, 0)
    first = await place_jobs(store).places(lineage, wait_s=5.0)
    again = await place_jobs(store).places(lineage, wait_s=5.0)
    assert [one.state for one in first] == [PlaceState.PENDING]
    assert first == again
    other = await of_point(store, 0, as_of=day(9))
    assert await place_jobs(store).places(other, wait_s=5.0) == first


def number_readers(store: Store) -> NumberReaders:
    shared = Reading(store.catalog, store.reader, loaded=store.loaded, files=store.files)
    return NumberReaders(shared, store.curves, store.lineage, store.private)


async def test_a_job_names_the_number_and_the_worker_reads_it_from_the_store(store: Store) -> None:
    file_id = await load(store, file_load([(0, 1, 1.5)]), "first.csv")
    lineage = await of_point(store, 0)
    (pending,) = await place_jobs(store).places(lineage, wait_s=0.0)
    (job,) = await store.jobs.jobs([pending.job_id or ""])
    assert (job.name, job.payload["file_ids"], job.payload["series"]) == ("lineage.locate", [file_id], KEY)
    assert "1.5" not in str(job.payload)
    assert "first.csv" not in str(job.payload)
    wanted = await number_readers(store).wanted(LocateNumber.model_validate(job.payload), now=NOW)
    assert wanted == [file_to_search(lineage, lineage.origins[0])]


async def test_one_job_searches_all_files_of_a_number_the_likeliest_first(store: Store) -> None:
    dated = {"rule": RuleDated(), "basis": KnownAtBasis.INGESTED}
    first = await load(store, file_load([(0, 1, 1.0), (9, 5, 2.0)], **dated), "later news.csv")
    far = await load(store, file_load([(0, 1, 1.0), (20, 9, 2.0)], **dated), "latest news.csv")
    near = await load(store, file_load([(0, 1, 1.0), (1, 1, 3.0)], known_at=day(1)), "near.csv")
    lineage = await of_point(store, 0)
    assert files(lineage) == [("brought", "later news.csv"), ("may_hold", "near.csv"), ("may_hold", "latest news.csv")]
    places = await place_jobs(store).places(lineage, wait_s=0.0)
    (job_id,) = {one.job_id or "" for one in places}
    (job,) = await store.jobs.jobs([job_id])
    assert job.payload["file_ids"] == [first, near, far]
    (claim,) = await store.worker_log.claim("worker", Queue.INTERACTIVE, names=["lineage.locate"], limit=9)
    results = [Place(PlaceState.NOT_STORED), Place(PlaceState.LOCATED, line=2), Place(PlaceState.NOT_REQUESTED)]
    async with store.transactions.transaction(by=BY) as tx:
        await tx.jobs.succeed(claim.job_id, claim.attempt, {"places": list(map(asdict, results))})
    located = await place_jobs(store).places(lineage, wait_s=0.0)
    assert [(one.state, one.line) for one in located] == [(one.state, one.line) for one in results]


async def test_a_result_of_another_release_is_not_read_as_a_place(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.5)]), "first.csv")
    lineage = await of_point(store, 0)
    await place_jobs(store).places(lineage, wait_s=0.0)
    (claim,) = await store.worker_log.claim("worker", Queue.INTERACTIVE, names=["lineage.locate"], limit=9)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.jobs.succeed(claim.job_id, claim.attempt, {"state": "located", "line": 7})
    (place,) = await place_jobs(store).places(lineage, wait_s=0.0)
    assert (place.state, place.line) == (PlaceState.FAILED, None)
    assert "left a result that this release does not read" in place.why


async def test_a_job_about_a_quote_of_a_tenant_holds_no_price(store: Store, desk: str) -> None:
    await load(store, quotes_file([(0, 1, 1, 97.25)], key=CURVE, tenant=desk), "marks.csv")
    lineage = await of_quote(store, tenant=desk)
    (pending,) = await place_jobs(store, desk).places(lineage, wait_s=0.0)
    (job,) = await store.jobs.jobs([pending.job_id or ""])
    assert (job.tenant, job.payload["tenant"], job.payload["curve"]) == (desk, desk, CURVE)
    assert "97.25" not in str(job.payload)
    (wanted,) = await number_readers(store).wanted(LocateNumber.model_validate(job.payload), now=NOW)
    assert (wanted.sought, wanted.tenant) == (lineage.sought, desk)


async def test_a_number_that_was_corrected_meanwhile_is_no_longer_looked_for(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.5)]), "first.csv")
    (pending,) = await place_jobs(store).places(await of_point(store, 0), wait_s=0.0)
    (job,) = await store.jobs.jobs([pending.job_id or ""])
    gone = LocateNumber.model_validate({**job.payload, "file_ids": [999_999]})
    with pytest.raises(NotFound, match="the number has changed since"):
        await number_readers(store).wanted(gone, now=NOW)


@pytest.mark.parametrize("wrong", [{"start": None}, {"curve": CURVE}, {"series": None}])
def test_a_payload_names_one_number(wrong: dict[str, object]) -> None:
    whole = {"file_ids": [1], "known_at": day(1), "series": KEY, "start": day(1)}
    with pytest.raises(ValueError, match="name an observation by series and start"):
        LocateNumber.model_validate(whole | wrong)


async def test_another_release_or_another_spelling_looks_for_a_number_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await load(store, file_load([(0, 1, 1.5)]), "first.csv")
    lineage = await of_point(store, 0)
    (first,) = await place_jobs(store).places(lineage, wait_s=0.0)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.mappings.add(NewMapping(MappingKind.UNIT, ANY_SCOPE, "Euro je MWh", "euro je mwh", "EUR/MWh"), by="test")
    (mapped,) = await place_jobs(store).places(lineage, wait_s=0.0)
    monkeypatch.setattr("aurum.services.lineage.locating.version", lambda _package: "9.9.9")
    (released,) = await place_jobs(store).places(lineage, wait_s=0.0)
    assert len({first.job_id, mapped.job_id, released.job_id}) == 3


async def test_a_request_waits_for_a_worker_and_has_the_place_it_found(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.5)]), "first.csv")
    lineage = await of_point(store, 0)
    await store.worker_log.heartbeat("worker", facts={})

    async def work(seconds: float) -> None:
        assert seconds == LOOK_EVERY_S
        (claim,) = await store.worker_log.claim("worker", Queue.INTERACTIVE, names=["lineage.locate"], limit=9)
        async with store.transactions.transaction(by=BY) as tx:
            located = asdict(Place(PlaceState.LOCATED, line=7, counts=Unit.LINE, value=1.5, verified=True))
            await tx.jobs.succeed(claim.job_id, claim.attempt, {"places": [located]})

    jobs = PlaceJobs(store.transactions, store.jobs, store.files, store.curves, store.mappings, BY, None, work)
    (place,) = await jobs.places(lineage, wait_s=5.0)
    assert (place.state, place.line, place.counts, place.verified) == (PlaceState.LOCATED, 7, Unit.LINE, True)
    # Another load of the file may store it, or read it with another parser: the place is looked for again.
    await store.loader.load(file_load([(0, 1, 1.5)]), force=True)
    (pending,) = await place_jobs(store).places(lineage, wait_s=0.0)
    assert (pending.state, pending.job_id != place.job_id) == (PlaceState.PENDING, True)


async def test_a_job_that_was_cancelled_says_so_and_is_tried_again(store: Store) -> None:
    await load(store, file_load([(0, 1, 1.5)]), "first.csv")
    lineage = await of_point(store, 0)
    (pending,) = await place_jobs(store).places(lineage, wait_s=0.0)
    job_id = pending.job_id or ""
    async with store.transactions.transaction(by=BY) as tx:
        await tx.jobs.cancel(job_id)
    (place,) = await place_jobs(store).places(lineage, wait_s=0.0)
    assert (place.state, place.job_id) == (PlaceState.FAILED, job_id)
    assert "was cancelled" in place.why
    assert "it is tried again" in place.why
    (queued,) = await store.jobs.jobs([job_id])
    assert queued.state is JobState.QUEUED
    (again,) = await place_jobs(store).places(lineage, wait_s=0.0)
    assert (again.state, again.job_id) == (PlaceState.PENDING, job_id)


async def test_what_was_sent_over_http_is_in_no_file(store: Store, desk: str) -> None:
    request = LoadRequest(Actor("key:7"), "curves.store", CURVE)
    await load(store, quotes_file([(0, 1, 1, 40.0)], key=CURVE, tenant=desk), "POST", request=request)
    (place,) = await place_jobs(store, desk).places(await of_quote(store, tenant=desk), wait_s=5.0)
    assert (place.state, place.why) == (PlaceState.NO_FILE, "it was sent over HTTP (key): there is no file")
