"""A desk of one tenant with its curve sets: the steps of a set as its persons take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from curve_quotes import BASE, curve_reading, reading_of_tenant, session_file

from aurum.core.errors import AurumError
from aurum.services.curves import CurveReading
from aurum.services.curves.marks import (
    Comparison,
    ComparisonQuestion,
    NewCurveSet,
    NewOverride,
    NotCompared,
    SetMarks,
    approve_set,
    close_set,
    compare_set,
    create_set,
    delete_override,
    plan_set,
    put_override,
    read_set,
    reject_set,
    reopen_set,
    submit_set,
)
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curve_sets import CurveSet
from aurum.storage.testing.stores import Store

OTHER = "power:XX:base:BROKER"
FRIDAY, MONDAY = date(2024, 10, 11), date(2024, 10, 14)
NOW = datetime(2024, 10, 14, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANNA = Actor("key:1", "acme", "request-1", "127.0.0.1", "owner:Anna")
BERT = Actor("user:bert", "acme", person="user:bert")
NOBODY = Actor("key:9", "acme")
LOCAL = Actor("local", "acme", person="local")
QUOTES = [("Jan-25", 102.0), ("Feb-25", 104.0), ("Mar-25", 89.0)]


@dataclass(frozen=True, slots=True)
class Desk:
    """The sets of one tenant."""

    store: Store
    reading: CurveReading

    async def create(self, *curves: str, trade_date: date | str = MONDAY, as_of: str | None = None) -> CurveSet:
        return await self.copy(None, *curves, trade_date=trade_date, as_of=as_of)

    async def copy(
        self, of: str | None, *curves: str, trade_date: date | str = MONDAY, as_of: str | None = None, now: datetime = NOW
    ) -> CurveSet:
        request = NewCurveSet("eod", trade_date, curves or (BASE,), as_of, of)
        store = self.store
        return await create_set(store.transactions, store.curve_sets, self.reading, request, by=ANNA, now=now)

    async def override(
        self, set_id: str, period: str = "Jan-25", settle: float = 99.0, *, version: int | None = None, **more: str
    ) -> CurveSet:
        request = NewOverride(more.pop("curve", BASE), period, settle, more.pop("reason", "broker"), None, None, **more)
        changed, *_ = await put_override(
            self.store.transactions, self.store.curve_sets, self.reading, set_id, request, version=version, by=ANNA, now=NOW
        )
        return changed

    async def delete(self, set_id: str, period: str = "Feb-25", *, version: int | None = None) -> CurveSet:
        sets, transactions = self.store.curve_sets, self.store.transactions
        return await delete_override(transactions, sets, self.reading, set_id, BASE, period, version=version, by=BERT)

    async def submit(
        self, set_id: str, *, by: Actor = ANNA, now: datetime = NOW, missing: bool = False, version: int | None = None
    ) -> CurveSet:
        sets, transactions = self.store.curve_sets, self.store.transactions
        return await submit_set(
            transactions, sets, self.reading, set_id, version=version, allow_missing=missing, by=by, now=now
        )

    async def approve(self, set_id: str, *, by: Actor = BERT, version: int | None = None) -> CurveSet:
        return await approve_set(self.store.transactions, self.reading, set_id, version=version, by=by, now=NOW)

    async def reject(self, set_id: str, reason: str = "Jan is too high", *, version: int | None = None) -> CurveSet:
        transactions = self.store.transactions
        return await reject_set(transactions, self.reading, set_id, reason, version=version, by=BERT, now=NOW)

    async def close(self, set_id: str, *, version: int | None = None) -> CurveSet:
        return await close_set(self.store.transactions, self.reading, set_id, version=version, by=ANNA, now=NOW)

    async def reopen(self, set_id: str, reason: str = "wrong broker", *, version: int | None = None) -> CurveSet:
        transactions = self.store.transactions
        return await reopen_set(transactions, self.reading, set_id, reason, version=version, by=ANNA, now=NOW + HOUR)

    async def compare(self, set_id: str, question: ComparisonQuestion) -> Comparison:
        return await compare_set(self.reading, self.store.derived_curves, await self.marks(set_id), question)

    async def marks(self, set_id: str, *, now: datetime = NOW) -> SetMarks:
        plan = await plan_set(self.reading, self.store.curve_sets, set_id, now=now)
        return await read_set(self.reading, self.store.curve_sets, plan)

    async def values(self, set_id: str, *, now: datetime = NOW) -> dict[str, float | None]:
        frame = (await self.marks(set_id, now=now)).frame
        return dict(frame.select("label", "value").rows())

    async def official(self, *curves: str) -> CurveSet:
        one = await self.create(*curves)
        await self.submit(one.set_id)
        await self.approve(one.set_id)
        return await self.close(one.set_id)


async def desk_of(store: Store, quotes: Sequence[tuple[str, float | None]] = QUOTES) -> Desk:
    before = [(label, None if price is None else price - 1) for label, price in quotes]
    shared = await curve_reading(
        store, session_file(BASE, FRIDAY, before), session_file(BASE, MONDAY, quotes), tenants={"power:XX:base:OWN": "acme"}
    )
    return Desk(store, reading_of_tenant(store, shared, "acme"))


async def correct(store: Store, *quotes: tuple[str, float | None]) -> None:
    await store.loader.load(session_file(BASE, MONDAY, quotes, known_at=NOW - HOUR))


def label_of(skip: NotCompared) -> str | None:
    return None if skip.period is None else skip.period.period.label


async def refused(error: type[AurumError], attempt: object) -> AurumError:
    with pytest.raises(error) as caught:
        await attempt  # type: ignore[misc] - a coroutine
    return caught.value
