"""Times as callers write them: every way to write an instant is that instant, and everything else is refused by name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from aurum.api.contract.params import ONE_SERIES, question_of, read
from aurum.api.http.problems import InvalidParameters
from aurum.common.clock import SystemClock
from aurum.services.observations import ReadPlan, make_plan
from aurum.storage.memory import MemoryStore

ZONES = ["UTC", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Etc/GMT+5", "Australia/Lord_Howe"]


instants = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31)).map(lambda naive: naive.replace(tzinfo=UTC))
zones = st.sampled_from(ZONES)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
almost_times = st.from_regex(r"-?[0-9]{1,5}-[0-9]{1,3}-[0-9]{1,3}([T ][0-9:.,]{0,18})?([+-][0-9:]{1,6}|[Zz])?", fullmatch=True)


async def plan_of(query: str) -> ReadPlan:
    return await make_plan(question_of(read(QueryParams(query), ONE_SERIES)), [], MemoryStore(SystemClock()).catalog)


@given(instants, offsets, st.booleans(), st.sampled_from(["start", "end", "as_of"]))
async def test_any_offset_names_the_same_instant_escaped_or_not(
    instant: datetime, offset: timezone, escaped: bool, name: str
) -> None:
    text = instant.astimezone(offset).isoformat()
    plan = await plan_of(f"{name}={quote(text) if escaped else text}")
    assert {"start": plan.span.start, "end": plan.span.end, "as_of": plan.as_of}[name] == instant


@given(instants, zones)
async def test_a_local_time_is_its_instant_when_the_clock_shows_it_once(instant: datetime, zone: str) -> None:
    local = instant.astimezone(ZoneInfo(zone))
    other = local.replace(fold=1 - local.fold)
    assume(local.utcoffset() == other.utcoffset())
    plan = await plan_of(f"start={local.replace(tzinfo=None).isoformat()}&tz={zone}")
    assert plan.span.start == instant


@given(st.dates(date(1970, 1, 1), date(2099, 12, 31)), zones)
async def test_a_day_begins_at_the_first_instant_of_its_date(day: date, zone: str) -> None:
    start = (await plan_of(f"start={day}&tz={zone}")).span.start
    assert start is not None
    assert start.astimezone(ZoneInfo(zone)).date() == day
    assert (start - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() == day - timedelta(days=1)


@given(instants, instants)
async def test_a_span_runs_forwards_or_is_refused(one: datetime, other: datetime) -> None:
    query = f"start={quote(one.isoformat())}&end={quote(other.isoformat())}"
    if one <= other:
        assert (await plan_of(query)).span.end == other
    else:
        with pytest.raises(InvalidParameters, match="start: is after end"):
            await plan_of(query)


@given(st.text() | almost_times, zones, st.sampled_from(["start", "end", "as_of"]))
async def test_any_other_text_is_refused_by_the_name_of_its_parameter(text: str, zone: str, name: str) -> None:
    try:
        plan = await plan_of(f"{name}={quote(text)}&tz={zone}")
    except InvalidParameters as refused:
        (error,) = refused.facts["errors"]
        assert error["field"] == name
        assert error["message"]
    else:
        instant = {"start": plan.span.start, "end": plan.span.end, "as_of": plan.as_of}[name]
        assert instant is not None
        assert instant.utcoffset() == timedelta(0)
