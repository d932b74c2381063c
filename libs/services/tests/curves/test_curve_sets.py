"""Curve sets: marks from quotes and overrides, the steps from draft to official, persons, corrections and races."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from curve_desk import ANNA, BERT, HOUR, LOCAL, MONDAY, NOBODY, NOW, QUOTES, Desk, correct, desk_of, refused
from curve_quotes import BASE, BY, PEAK, reading_of_tenant, session_file

from aurum.core.currency import rate_key
from aurum.core.curves.marks import SetState, WrongState
from aurum.core.errors import AurumError, Conflict, Forbidden, InvalidParameters
from aurum.services.curves.marks import (
    MissingQuotes,
    NewCurveSet,
    NoPrices,
    PersonUnknown,
    SamePerson,
    SubmitterUnknown,
    conversions_of_marks,
    converted_marks,
    create_set,
    delivery_rows,
)
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curve_sets import CurveSet, UnknownCurveSet, UnknownOverride
from aurum.storage.testing.builders import T0, file_load
from aurum.storage.testing.stores import PostgresStore, Store


async def test_a_set_goes_from_draft_to_official_and_keeps_its_id(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    assert (one.state, one.version, one.curves) == (SetState.DRAFT, 1, (BASE,))
    assert await desk.values(one.set_id) == {"Jan-25": 102.0, "Feb-25": 104.0, "Mar-25": 89.0}
    assert (await desk.override(one.set_id)).version == 2
    assert (await desk.values(one.set_id))["Jan-25"] == 99.0
    assert (await desk.submit(one.set_id)).state is SetState.SUBMITTED
    assert (await desk.approve(one.set_id)).state is SetState.APPROVED
    official = await desk.close(one.set_id)
    assert (official.set_id, official.state) == (one.set_id, SetState.OFFICIAL)
    assert [(step.step, step.person) for step in official.steps] == [
        ("create", "owner:Anna"),
        ("submit", "owner:Anna"),
        ("approve", "user:bert"),
        ("close", "owner:Anna"),
    ]
    actions = [(entry.action, entry.actor) for entry in await store.audit.page(tenant="acme", before=None, limit=9)]
    assert actions[:5] == [
        ("curve_set.close", "key:1"),
        ("curve_set.approve", "user:bert"),
        ("curve_set.submit", "key:1"),
        ("curve_set.override", "key:1"),
        ("curve_set.create", "key:1"),
    ]


async def test_submitted_marks_are_pinned_and_a_later_correction_is_shown_beside_them(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.override(one.set_id, "Feb-25", 100.0)
    await desk.submit(one.set_id)
    await correct(store, ("Jan-25", 50.0), ("Feb-25", 51.0), ("Mar-25", 89.0))
    for step in (desk.approve, desk.close):
        marks = await desk.marks(one.set_id)
        assert dict(marks.frame.select("label", "value").rows()) == {"Jan-25": 102.0, "Feb-25": 100.0, "Mar-25": 89.0}
        assert marks.changed.select("pinned", "current").rows() == [(102.0, 50.0), (104.0, 51.0)]
        await step(one.set_id)
    assert (await desk.values(one.set_id))["Jan-25"] == 102.0


async def test_what_becomes_known_after_the_instant_of_a_submit_is_not_pinned_but_a_change_since(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    later = NOW + timedelta(seconds=1)
    await store.loader.load(session_file(BASE, MONDAY, [("Jan-25", 50.0)], known_at=later))
    submitted = await desk.submit(one.set_id, now=NOW)
    assert submitted.pinned_at == NOW
    marks = await desk.marks(one.set_id, now=later)
    assert dict(marks.frame.select("label", "value").rows()) == dict(QUOTES)
    assert marks.frame["known_at"].max() <= submitted.pinned_at
    assert marks.changed.select("pinned", "current", "known_at").rows() == [(102.0, 50.0, later)]


async def test_a_reopened_set_is_a_draft_of_the_same_id_with_the_quotes_of_now(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    for _ in range(2):
        await desk.submit(one.set_id)
        await desk.reopen(one.set_id)
    await desk.submit(one.set_id)
    await desk.approve(one.set_id)
    await correct(store, ("Jan-25", 50.0))
    draft = await desk.reopen(one.set_id)
    assert (draft.set_id, draft.state, draft.pin) == (one.set_id, SetState.DRAFT, None)
    assert draft.steps[-1].reason == "wrong broker"
    assert (await desk.values(one.set_id))["Jan-25"] == 50.0
    assert "reason" in (await refused(InvalidParameters, desk.reopen(one.set_id, "  "))).detail
    await refused(WrongState, desk.reopen(one.set_id))


async def test_an_official_set_stays_and_a_new_draft_takes_its_place_once_it_is_official(store: Store) -> None:
    desk = await desk_of(store)
    first = await desk.official()
    draft = await desk.reopen(first.set_id)
    rival = await desk.reopen(first.set_id)
    assert (draft.supersedes, draft.state) == (first.set_id, SetState.DRAFT)
    assert draft.set_id != first.set_id
    await desk.override(draft.set_id, "Jan-25", 7.0)
    assert (await store.curve_sets.read("acme", first.set_id)).superseded_by is None
    for one in (draft, rival):
        await desk.submit(one.set_id)
        await desk.approve(one.set_id)
    await desk.close(draft.set_id)
    stayed = await store.curve_sets.read("acme", first.set_id)
    assert (stayed.state, stayed.superseded_by) == (SetState.OFFICIAL, draft.set_id)
    assert (await desk.values(first.set_id))["Jan-25"] == 102.0
    assert (await desk.values(draft.set_id))["Jan-25"] == 7.0
    for attempt in (desk.close(rival.set_id), desk.reopen(first.set_id)):
        assert (await refused(Conflict, attempt)).facts == {"superseded_by": draft.set_id}


async def test_a_reopened_official_set_keeps_its_overrides(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.override(one.set_id, "Jan-25", 7.0, expires="2024-10-18")
    await desk.submit(one.set_id)
    await desk.approve(one.set_id)
    await desk.close(one.set_id)
    draft = await desk.reopen(one.set_id)
    assert (await desk.values(draft.set_id))["Jan-25"] == 7.0


@pytest.mark.parametrize(
    ("submitter", "approver", "error"),
    [
        (ANNA, ANNA, SamePerson),
        (ANNA, replace(ANNA, subject="key:2"), SamePerson),
        (ANNA, replace(ANNA, subject="key:2", person="owner: ANNA"), SamePerson),
        (ANNA, Actor("user:anna", "acme", person="user:anna"), SamePerson),
        (ANNA, NOBODY, PersonUnknown),
        (NOBODY, BERT, SubmitterUnknown),
        (NOBODY, NOBODY, PersonUnknown),
        (LOCAL, LOCAL, PersonUnknown),
        (ANNA, LOCAL, PersonUnknown),
        (LOCAL, BERT, SubmitterUnknown),
        (Actor("operator"), Actor("operator"), PersonUnknown),
    ],
)
async def test_an_approval_needs_another_known_person(
    store: Store, submitter: Actor, approver: Actor, error: type[AurumError]
) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.submit(one.set_id, by=submitter)
    raised = await refused(error, desk.approve(one.set_id, by=approver))
    assert isinstance(raised, Forbidden | Conflict)
    assert "person" in raised.detail
    assert (await store.curve_sets.read("acme", one.set_id)).state is SetState.SUBMITTED


async def test_a_refused_approval_names_the_submitter_as_recorded(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.submit(one.set_id, by=replace(ANNA, person="owner:Anna Smith"))
    raised = await refused(SamePerson, desk.approve(one.set_id, by=replace(ANNA, person="owner:anna  SMITH")))
    assert raised.detail == "owner:Anna Smith submitted this set, and another person approves it"
    assert raised.facts == {"person": "owner:Anna Smith"}


async def test_who_submits_last_does_not_approve_and_who_submitted_before_may(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.submit(one.set_id, by=BERT)
    await desk.reopen(one.set_id)
    await desk.submit(one.set_id, by=ANNA)
    assert (await desk.approve(one.set_id, by=BERT)).state is SetState.APPROVED


async def test_who_approves_may_reject_with_a_reason_and_the_next_submit_pins_anew(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await refused(WrongState, desk.reject(one.set_id))
    await desk.submit(one.set_id)
    assert "reason" in (await refused(InvalidParameters, desk.reject(one.set_id, " "))).detail
    rejected = await desk.reject(one.set_id)
    assert (rejected.set_id, rejected.state, rejected.pin) == (one.set_id, SetState.DRAFT, None)
    last = rejected.steps[-1]
    assert (last.step, last.person, last.reason) == ("reject", "user:bert", "Jan is too high")
    await desk.override(one.set_id, "Jan-25", 99.0)
    await desk.submit(one.set_id)
    await desk.approve(one.set_id)
    assert (await desk.values(one.set_id))["Jan-25"] == 99.0
    await refused(WrongState, desk.reject(one.set_id))


async def test_a_key_that_gets_its_owner_after_a_submit_names_no_person_of_that_submit(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.submit(one.set_id, by=NOBODY)
    carl = replace(NOBODY, person="owner:Carl")
    for approver in (BERT, carl):
        await refused(SubmitterUnknown, desk.approve(one.set_id, by=approver))
    await desk.reopen(one.set_id)
    await desk.submit(one.set_id, by=carl)
    await refused(SamePerson, desk.approve(one.set_id, by=replace(carl, subject="key:10")))
    assert (await desk.approve(one.set_id, by=BERT)).state is SetState.APPROVED


@pytest.mark.parametrize("state", ["draft", "submitted", "approved", "official"])
async def test_every_change_of_a_set_refuses_a_version_that_is_not_the_present_one(store: Store, state: str) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.override(one.set_id, "Feb-25", 1.0)
    for step in {"draft": "", "submitted": "s", "approved": "sa", "official": "sac"}[state]:
        await {"s": desk.submit, "a": desk.approve, "c": desk.close}[step](one.set_id)
    before = await store.curve_sets.read("acme", one.set_id)
    assert before.state == state
    changes = {
        "draft": (desk.override, desk.delete, desk.submit),
        "submitted": (desk.approve, desk.reject, desk.reopen),
        "approved": (desk.close, desk.reopen),
        "official": (desk.reopen,),
    }[state]
    for change in changes:
        for version in (before.version - 1, before.version + 1):
            error = await refused(Conflict, change(one.set_id, version=version))  # type: ignore[operator]
            assert error.facts == {"version": before.version}
            assert "read it again" in error.detail
    assert await store.curve_sets.read("acme", one.set_id) == before
    await changes[0](one.set_id, version=before.version)  # type: ignore[operator]


async def test_steps_out_of_order_are_refused(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    for attempt in (desk.approve(one.set_id), desk.close(one.set_id), desk.reopen(one.set_id)):
        await refused(WrongState, attempt)
    await desk.submit(one.set_id)
    for attempt in (desk.submit(one.set_id), desk.override(one.set_id), desk.close(one.set_id)):
        await refused(WrongState, attempt)
    error = await refused(Conflict, desk.approve(one.set_id, version=1))
    assert error.facts == {"version": 2}


async def test_another_tenant_knows_no_set(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.submit(one.set_id)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.tenants.insert("bolt", "Bolt", "basic")
    other = Desk(store, reading_of_tenant(store, desk.reading, "bolt"))
    for attempt in (
        other.marks(one.set_id),
        other.override(one.set_id),
        other.submit(one.set_id),
        other.approve(one.set_id),
        other.close(one.set_id),
        other.reopen(one.set_id),
    ):
        await refused(UnknownCurveSet, attempt)


async def test_overrides_expire_by_the_trade_date_of_the_set_or_by_the_clock(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.override(one.set_id, "Jan-25", 1.0, expires="2024-10-14")
    await desk.override(one.set_id, "Feb-25", 2.0, expires="2024-10-14T19:00:00Z")
    await desk.override(one.set_id, "Mar-25", 3.0)
    assert await desk.values(one.set_id) == {"Jan-25": 1.0, "Feb-25": 2.0, "Mar-25": 3.0}
    later = NOW + HOUR
    assert await desk.values(one.set_id, now=later) == {"Jan-25": 1.0, "Feb-25": 104.0, "Mar-25": 3.0}
    flags = (await desk.marks(one.set_id, now=later)).frame.select("label", "flags").rows()
    assert ("Feb-25", "override_expired") in flags
    await desk.submit(one.set_id, now=later)
    assert (await desk.values(one.set_id))["Feb-25"] == 104.0, "pinned, whatever the clock says"


async def test_an_override_that_expires_between_submit_and_approval_is_approved_as_it_was_submitted(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.override(one.set_id, "Feb-25", 2.0, expires="2024-10-14T19:00:00Z")
    await desk.submit(one.set_id)
    later = NOW + 2 * HOUR
    await desk.approve(one.set_id)
    marks = await desk.marks(one.set_id, now=later)
    assert not marks.plan.overrides[0].holds(MONDAY, later), "and its reader sees it"
    assert marks.frame.filter(label="Feb-25").select("value", "flags").rows() == [(2.0, "override")]
    await desk.reopen(one.set_id)
    draft = await desk.marks(one.set_id, now=later)
    assert draft.frame.filter(label="Feb-25").select("value", "flags").rows() == [(104.0, "override_expired")]


async def test_overrides_findings_and_changes_have_the_period_of_the_marks(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.override(one.set_id, "2025-07-01..2025-10-01", 10_150.0)
    await desk.override(one.set_id, "Jan-25", 10_150.0, expires="2024-10-14T19:00:00Z")
    marks = await desk.marks(one.set_id)
    periods = {period.period.label: (period.start, period.hours) for period in marks.periods.values()}
    assert periods == {
        "Jan-25": (datetime(2024, 12, 31, 23, tzinfo=UTC), 744.0),
        "Q3-25": (datetime(2025, 6, 30, 22, tzinfo=UTC), 2208.0),
    }
    assert [row["period"]["label"] for row in delivery_rows(marks, marks.findings)] == ["Jan-25"]  # type: ignore[index]
    await desk.submit(one.set_id)
    await correct(store, ("Mar-25", 55.0), ("Apr-25", 56.0))
    pinned = await desk.marks(one.set_id)
    changed = delivery_rows(pinned, pinned.changed)
    assert [(row["period"]["label"], row["source"], row["pinned"], row["current"]) for row in changed] == [  # type: ignore[index]
        ("Mar-25", "quote", 89.0, 55.0),
        ("Apr-25", None, None, 56.0),
    ]


async def test_marks_are_converted_at_the_rate_that_was_known_when_they_were_submitted(store: Store) -> None:
    desk = await desk_of(store)
    hours = round((datetime(2024, 10, 14, tzinfo=UTC) - T0) / HOUR)

    async def dollars(rate: float, known_at: datetime) -> None:
        points = [(hours, None, rate)]
        form = {"unit": "USD/EUR", "currency": "USD", "zone": "UTC", "frequency": "1d"}
        await store.loader.load(file_load(points, key=rate_key("USD"), known_at=known_at, **form))  # type: ignore[arg-type]

    await dollars(1.1, NOW - HOUR)
    one = await desk.create()
    await desk.override(one.set_id, "Jan-25", 50.0)
    await desk.submit(one.set_id)
    await dollars(1.2, NOW + HOUR)
    marks = await desk.marks(one.set_id)

    async def converted(unit: str | None, currency: str | None) -> pl.DataFrame:
        conversions = await conversions_of_marks(desk.reading, marks, unit, currency)
        return await converted_marks(desk.reading, marks, conversions)

    in_dollars = await converted(None, "USD")
    assert in_dollars["value"].to_list() == pytest.approx([55.0, 104 * 1.1, 89 * 1.1])
    assert in_dollars["quoted"].to_list() == pytest.approx([102 * 1.1, 104 * 1.1, 89 * 1.1])
    assert in_dollars.select("override", "unit", "currency").row(0) == (pytest.approx(55.0), "USD/MWh", "USD")
    assert in_dollars.schema == marks.frame.schema
    assert (await converted("EUR/kWh", None))["value"].to_list() == pytest.approx([0.05, 0.104, 0.089])
    assert (await converted(None, None)).equals(marks.frame)
    with pytest.raises(InvalidParameters, match="unit"):
        await converted("EUR/bbl", None)


async def test_overrides_are_copied_to_the_set_of_the_next_day_while_they_hold(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    tuesday = date(2024, 10, 15)
    await store.loader.load(session_file(BASE, tuesday, QUOTES))
    await desk.override(one.set_id, "Jan-25", 1.0, expires="2024-10-15")
    await desk.override(one.set_id, "Feb-25", 2.0, expires="2024-10-14")
    await desk.override(one.set_id, "Mar-25", 3.0)
    await desk.override(one.set_id, "Q2-25", 4.0, expires="2024-10-14T19:00:00Z")
    day = await desk.copy(one.set_id, trade_date=tuesday)
    assert await desk.values(day.set_id) == {"Jan-25": 1.0, "Feb-25": 104.0, "Mar-25": 89.0, "Q2-25": 4.0}
    later = await desk.copy(one.set_id, trade_date=tuesday, now=NOW + HOUR)
    assert await desk.values(later.set_id) == {"Jan-25": 1.0, "Feb-25": 104.0, "Mar-25": 89.0}
    (copied,) = await store.curve_sets.overrides("acme", later.set_id)
    assert (copied.reason, copied.person) == ("broker", "owner:Anna")
    assert "overrides_of" in (await refused(InvalidParameters, desk.copy("none"))).detail


@pytest.mark.parametrize(
    ("period", "more", "field"),
    [
        ("Jan-25", {"reason": " "}, "reason"),
        ("Jan-25", {"reason": "--"}, "reason"),
        ("Smarch-25", {}, "period"),
        ("Jan-99", {}, "period"),
        ("Jan-25", {"curve": PEAK}, "curve"),
        ("Jan-25", {"expires": "2024-10-13"}, "expires"),
        ("Jan-25", {"expires": "2024-10-14T17:00:00Z"}, "expires"),
        ("Jan-25", {"expires": "soon"}, "expires"),
        ("Jan-25", {"expires": "2024-10-15T17:00:00"}, "expires"),
    ],
)
async def test_a_bad_override_names_its_field(store: Store, period: str, more: dict[str, str], field: str) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    error = await refused(InvalidParameters, desk.override(one.set_id, period, **more))
    assert [named["field"] for named in error.facts["errors"]] == [field]  # type: ignore[attr-defined]
    with pytest.raises(InvalidParameters, match="settle"):
        await desk.override(one.set_id, settle=float("nan"))


async def test_an_override_of_an_unquoted_period_is_flagged_and_can_be_deleted(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.override(one.set_id, "Q3-25", 70.0)
    marks = await desk.marks(one.set_id)
    assert marks.frame.filter(label="Q3-25").select("value", "quoted", "flags", "hours", "unit").rows() == [
        (70.0, None, "override,not_quoted", 2208.0, "EUR/MWh")
    ]
    assert (await desk.delete(one.set_id, "Q3-25")).version == 3
    assert "Q3-25" not in await desk.values(one.set_id)
    await refused(UnknownOverride, desk.delete(one.set_id, "Q3-25"))
    (entry,) = await store.audit.page(action="curve_set.override_delete", before=None, limit=9)
    assert (entry.detail["person"], entry.detail["made_by"], entry.detail["settle"]) == ("user:bert", "owner:Anna", 70.0)


async def test_curves_without_quotes_are_missing_and_block_the_submit(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create(BASE, PEAK)
    assert (await desk.marks(one.set_id)).missing == [PEAK]
    error = await refused(MissingQuotes, desk.submit(one.set_id))
    assert error.facts == {"missing": [PEAK]}
    assert (await desk.submit(one.set_id, missing=True)).state is SetState.SUBMITTED
    assert (await desk.marks(one.set_id)).missing == [PEAK]


async def test_a_curve_without_quotes_is_marked_by_overrides_alone(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create(BASE, PEAK)
    await desk.override(one.set_id, "Q1-25", 120.0, curve=PEAK)
    assert "allow_missing" in (await refused(MissingQuotes, desk.submit(one.set_id))).detail
    await desk.submit(one.set_id, missing=True)
    marks = (await desk.marks(one.set_id)).frame.filter(curve=PEAK)
    assert marks.select("label", "value", "source").rows() == [("Q1-25", 120.0, "override")]


async def test_a_set_without_a_price_is_not_submitted(store: Store) -> None:
    desk = await desk_of(store, [("Jan-25", None)])
    one = await desk.create()
    assert (await desk.marks(one.set_id)).frame["flags"].to_list() == ["unpriced"]
    await refused(NoPrices, desk.submit(one.set_id))


@pytest.mark.parametrize(
    ("curves", "trade_date", "field"),
    [
        ((), MONDAY, "curves"),
        (("power:NO:base:NONE",), MONDAY, "curves"),
        (("gas:*",), MONDAY, "curves"),
        ((BASE,), date(2024, 10, 13), "trade_date"),
        ((PEAK,), "latest", "trade_date"),
    ],
)
async def test_a_set_that_names_nothing_is_refused_by_field(
    store: Store, curves: tuple[str, ...], trade_date: date | str, field: str
) -> None:
    desk = await desk_of(store)
    request = NewCurveSet("eod", trade_date, curves)
    creation = create_set(store.transactions, store.curve_sets, desk.reading, request, by=ANNA, now=NOW)
    error = await refused(InvalidParameters, creation)
    assert [named["field"] for named in error.facts["errors"]] == [field]  # type: ignore[attr-defined]
    assert str(error).count(f"{field}: ") == 1


async def test_a_set_as_of_an_instant_reads_quotes_as_they_were_known_then(store: Store) -> None:
    desk = await desk_of(store)
    await correct(store, ("Jan-25", 50.0))
    one = await desk.create("power:XX:*", trade_date="latest", as_of="2024-10-14T16:00:00Z")
    assert one.trade_date == MONDAY
    assert (await desk.values(one.set_id))["Jan-25"] == 102.0
    await desk.submit(one.set_id)
    assert (await desk.marks(one.set_id)).changed["current"].to_list() == [50.0]


async def test_jumps_of_units_and_stale_curves_are_flagged(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.override(one.set_id, "Jan-25", 10_150.0)
    marks = await desk.marks(one.set_id)
    assert marks.findings.select("check", "before").rows() == [("unit_jump", 101.0)]
    assert marks.frame["flags"].to_list() == ["override,unit_jump", "", ""]
    await store.loader.load(session_file(BASE, date(2024, 10, 15), QUOTES))
    stale = await desk.marks((await desk.create(trade_date=date(2024, 10, 15))).set_id)
    assert set(stale.frame["flags"].to_list()) == {"stale"}


async def test_of_two_approvals_at_once_one_is_recorded(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    await desk.submit(one.set_id)
    results = await asyncio.gather(*(desk.approve(one.set_id) for _ in range(4)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["CurveSet", "WrongState", "WrongState", "WrongState"]
    assert [step.step for step in (await store.curve_sets.read("acme", one.set_id)).steps].count("approve") == 1


async def test_an_approval_beside_a_reopening_ends_as_if_one_came_after_the_other(store: Store) -> None:
    desk = await desk_of(store)
    for back in (desk.reopen, desk.reject) * 3:
        one = await desk.create()
        await desk.submit(one.set_id)
        approved, returned = await asyncio.gather(desk.approve(one.set_id), back(one.set_id), return_exceptions=True)
        stored = await store.curve_sets.read("acme", one.set_id)
        later = [step.step for step in stored.steps[2:]]
        assert stored.version == 2 + len(later)
        if isinstance(approved, CurveSet):
            assert later[0] == "approve"
            assert isinstance(returned, CurveSet) == (len(later) == 2)
        else:
            assert isinstance(approved, WrongState)
            assert (len(later), stored.state) == (1, SetState.DRAFT)


@pytest.mark.needs_postgres
async def test_an_override_that_comes_while_a_set_is_submitted_is_pinned_or_refused(postgres_store: PostgresStore) -> None:
    desk = await desk_of(postgres_store)
    for attempt in range(8):
        one = await desk.create()
        submitted, overridden = await asyncio.gather(
            desk.submit(one.set_id), desk.override(one.set_id, settle=float(attempt + 1)), return_exceptions=True
        )
        assert isinstance(submitted, CurveSet), submitted
        value = (await desk.values(one.set_id))["Jan-25"]
        if isinstance(overridden, CurveSet):
            assert value == attempt + 1, "accepted, so it is part of what was submitted"
        else:
            assert isinstance(overridden, WrongState)
            assert value == 102.0
