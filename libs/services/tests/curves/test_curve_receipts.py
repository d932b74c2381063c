"""Receipts of builds repeat them to 1e-9 whatever was loaded since, or name what has been restated."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from curve_quotes import BASE, BY, PEAK, SPOT, curve_reading, hourly_spot, product_of, reading_of_tenant, session_file

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.build import Objective
from aurum.core.curves.grids import Resolution
from aurum.core.curves.products import Weighting
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.catalog.mappings import add_mapping, change_mapping, remove_mapping
from aurum.services.curves import build_inputs
from aurum.services.curves.build import build, repeat
from aurum.services.curves.build_question import BuildQuestion, InDelivery, InlineQuote, NothingToBuild, Prior, Wave
from aurum.services.curves.receipts import Receipt, Restated, digest, parse_receipt
from aurum.services.removal import remove_series
from aurum.storage.ports.files import FileLoad
from aurum.storage.testing.stores import Store

OWN, PRIOR = "power:XX:base:DESK", "power:XX:base:PRIOR"
DAY = date(2024, 10, 14)
QUOTES = [("2024-10", 70.0), ("2024-11", 90.84), ("2024-12", 92.5), ("Q1-25", 98.31)]
KNOWN = datetime(2024, 10, 14, 16, 30, tzinfo=UTC)
START = datetime(2023, 10, 15, 22, tzinfo=UTC)
WAVE = [60.0 + 20.0 * np.sin(hour * np.pi / 12) for hour in range(24 * 366)]


def through_json(receipt: Receipt) -> Receipt:
    return parse_receipt(receipt.model_dump_json().encode())


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("periods", ["Jan-25"] * 3_000),
        ("together", [PEAK] * 5),
        ("quotes", [{"price": 1.0, "period": "Jan-25"}] * 2_001),
        ("kinds", ["month"] * 21),
    ],
)
async def test_a_receipt_has_the_bounds_of_a_question(store: Store, member: str, value: object) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES, known_at=KNOWN))
    receipt = (await build(reading, BuildQuestion(BASE))).receipt
    forged = receipt.model_copy(update={"question": receipt.question | {member: value}})
    with pytest.raises(InvalidParameters) as refused:
        await repeat(reading, through_json(forged))
    assert refused.value.facts["errors"][0]["field"] == f"receipt.question.{member}"  # type: ignore[index]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"together": (PEAK,), "grid": Resolution.HOUR, "strict": True},
        {"objective": Objective.SHAPE, "grid": Resolution.HOUR},
        {"in_delivery": InDelivery.NET_REALISED, "kinds": ("month",)},
        {"prior": Prior(Wave(10.0, 15.0)), "first": date(2024, 12, 1), "periods": ("Dec-24",)},
        {"quotes": (InlineQuote(100.0, "Cal-26"),), "trade_date": DAY},
    ],
)
async def test_a_receipt_repeats_its_build_after_corrections_and_late_files(store: Store, changed: dict[str, Any]) -> None:
    reading = await curve_reading(
        store,
        session_file(BASE, DAY, QUOTES, known_at=KNOWN),
        session_file(PEAK, DAY, [("2024-11", 105.0)], known_at=KNOWN),
        hourly_spot(START, WAVE),
    )
    first = await build(reading, replace(BuildQuestion(BASE), **changed))
    # A correction, a later session, and a file that is late: it was known before the build and came after it.
    await curve_reading(
        store,
        session_file(BASE, DAY, [("2024-11", 91.5)], known_at=KNOWN + timedelta(days=1)),
        session_file(BASE, DAY, [("2025-01", 99.0)], known_at=KNOWN - timedelta(minutes=1)),
        session_file(BASE, DAY + timedelta(days=1), [("2024-11", 80.0)], known_at=KNOWN + timedelta(days=1)),
    )
    again = await repeat(reading, through_json(first.receipt))
    assert list(again.values) == list(first.values)
    for name, values in first.values.items():
        np.testing.assert_allclose(again.values[name], values, rtol=0, atol=1e-9)
    assert again.receipt == first.receipt


def own(file: FileLoad) -> FileLoad:
    """Return a file whose quotes belong to a tenant."""
    return replace(file, parts=tuple(replace(part, tenant="acme") for part in file.parts))


async def test_a_receipt_of_a_tenant_names_its_own_last_load(store: Store) -> None:
    shared = await curve_reading(store, tenants={OWN: "acme"})
    reading = reading_of_tenant(store, shared, "acme")
    with pytest.raises(NothingToBuild):
        await build(reading, BuildQuestion(OWN))
    await store.loader.load(own(session_file(OWN, DAY, QUOTES, known_at=KNOWN)))
    first = await build(reading, BuildQuestion(OWN))
    assert reading.own is not None
    assert first.question.as_loaded == await reading.own.latest()
    await store.loader.load(own(session_file(OWN, DAY, [("2025-01", 99.0)], known_at=KNOWN - timedelta(minutes=1))))
    assert (await build(reading, BuildQuestion(OWN))).question.as_loaded != first.question.as_loaded
    again = await repeat(reading, through_json(first.receipt))
    np.testing.assert_allclose(again.values["value"], first.values["value"], rtol=0, atol=1e-9)


async def test_what_a_tenant_loads_during_a_build_is_in_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = await curve_reading(store, tenants={OWN: "acme"})
    reading = reading_of_tenant(store, shared, "acme")
    await store.loader.load(own(session_file(OWN, DAY, QUOTES, known_at=KNOWN)))
    quotes_of, loads = build_inputs.quotes_of, [own(session_file(OWN, DAY, [("2025-01", 99.0)], known_at=KNOWN))]

    async def reads_before_a_load(*arguments: Any) -> Any:
        frame = await quotes_of(*arguments)
        if loads:
            await store.loader.load(loads.pop())
        return frame

    monkeypatch.setattr(build_inputs, "quotes_of", reads_before_a_load)
    answer = await build(reading, BuildQuestion(OWN, periods=("Jan-25",)))
    assert answer.periods[0].value == pytest.approx(99.0)
    again = await repeat(reading, through_json(answer.receipt))
    assert again.periods[0].value == pytest.approx(99.0)


async def test_a_build_of_the_present_differs_after_a_correction(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES, known_at=KNOWN))
    first = await build(reading, BuildQuestion(BASE))
    await curve_reading(store, session_file(BASE, DAY, [("2024-11", 91.5)], known_at=KNOWN + timedelta(days=1)))
    assert abs((await build(reading, BuildQuestion(BASE))).values["value"] - first.values["value"]).max() > 0.1


async def test_other_terms_of_the_product_are_named(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES, known_at=KNOWN))
    first = await build(reading, BuildQuestion(BASE))
    stored = await reading.curves.product(BASE, tenant=None)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(replace(product_of(BASE), tick=0.05), tenant=None, version=stored.version)
    with pytest.raises(Restated, match=f"product {BASE} has been restated") as refused:
        await repeat(reading, first.receipt)
    assert refused.value.facts["restated"] == [{"input": f"product {BASE}", "term": "tick", "was": 0.01, "now": 0.05}]
    assert "since the receipt was made: tick was 0.01, now 0.05: build anew" in refused.value.detail


async def test_a_receipt_of_an_earlier_version_has_digests_of_terms_and_none_of_itself(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES, known_at=KNOWN))
    first = await build(reading, BuildQuestion(BASE))
    name = f"product {BASE}"
    assert json.loads(first.receipt.terms[name])["tick"] == 0.01
    values = digest(list(json.loads(first.receipt.terms[name]).values()))
    earlier = first.receipt.model_copy(update={"terms": first.receipt.terms | {name: values}, "digest": None})
    assert (await repeat(reading, through_json(earlier))).receipt == first.receipt
    other = earlier.model_copy(update={"terms": first.receipt.terms | {name: digest([0.05])}})
    with pytest.raises(Restated) as refused:
        await repeat(reading, other)
    assert refused.value.facts["restated"] == [{"input": name}]


@pytest.mark.parametrize("member", ["quotes", "question", "terms", "cells", "checksum"])
async def test_a_receipt_that_was_changed_is_told_from_restated_inputs(store: Store, member: str) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES, known_at=KNOWN))
    document = (await build(reading, BuildQuestion(BASE))).receipt.model_dump(mode="json")
    match member:
        case "quotes":
            document["quotes"][1]["price"] = 1.0
        case "question":
            document["question"]["grid"] = "PT1H"
        case "terms":
            document["terms"]["calendar eu_power"] = "0"
        case _:
            document[member] += 1
    with pytest.raises(InvalidParameters, match="has been changed since it was made") as refused:
        await repeat(reading, Receipt.model_validate(document))
    assert refused.value.facts["errors"][0]["field"] == "receipt"  # type: ignore[index]


async def test_a_receipt_in_another_form_of_the_same_values_is_whole(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES, known_at=KNOWN))
    question = BuildQuestion(
        BASE,
        prior=Prior(Wave(10.0, 15.0)),
        quotes=(InlineQuote(100.0, "Jan-25"), InlineQuote(90.5, "Q1-25")),
        as_of=datetime(2024, 10, 14, 20, tzinfo=UTC),
    )
    first = await build(reading, question)
    document = first.receipt.model_dump(mode="json")
    document["question"]["prior"]["season"] = {"peak_day": 15, "amplitude": 10}
    document["question"]["quotes"][0]["price"] = 100
    document["question"]["as_of"] = "2024-10-14T22:00:00+02:00"
    assert (await repeat(reading, Receipt.model_validate(document))).receipt == first.receipt


async def test_what_was_removed_since_is_named(store: Store) -> None:
    files = (session_file(BASE, DAY, QUOTES, known_at=KNOWN), hourly_spot(START, WAVE))
    reading = await curve_reading(store, *files)
    of_spot = await build(reading, BuildQuestion(BASE, objective=Objective.SHAPE, grid=Resolution.HOUR))
    netted = await build(reading, BuildQuestion(BASE, in_delivery=InDelivery.NET_REALISED, kinds=("month",)))
    await remove_series(store.transactions, store.catalog, SPOT, reason="another feed", by=BY)
    for first, field in ((of_spot, "shape"), (netted, "in_delivery")):
        with pytest.raises(Restated, match=f"needs the spot prices {SPOT}") as refused:
            await repeat(reading, through_json(first.receipt))
        (restated,) = refused.value.facts["restated"]  # type: ignore[misc]
        assert restated["input"] == field


async def test_a_word_that_means_another_period_is_named(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES, known_at=KNOWN))
    arguments = (store.transactions, store.mappings)
    mapped = await add_mapping(store.transactions, MappingKind.PERIOD, spelling="Lenz", target="Q1", by=BY)
    first = await build(reading, BuildQuestion(BASE, periods=("Lenz-25",)))
    assert first.periods[0].value == pytest.approx(98.31)
    assert (await repeat(reading, through_json(first.receipt))).periods[0].value == first.periods[0].value
    await change_mapping(*arguments, mapped.mapping_id, "Jan", version=None, by=BY)
    with pytest.raises(Restated, match="periods has been restated"):
        await repeat(reading, through_json(first.receipt))
    await remove_mapping(*arguments, mapped.mapping_id, version=None, by=BY)
    with pytest.raises(Restated, match=r"periods\.0 has been restated"):
        await repeat(reading, through_json(first.receipt))


async def test_other_terms_of_a_prior_are_named_though_the_mean_stays(store: Store) -> None:
    files = [session_file(key, DAY, QUOTES[1:], known_at=KNOWN) for key in (BASE, PRIOR)]
    reading = await curve_reading(store, *files)
    first = await build(reading, BuildQuestion(BASE, prior=Prior(curve=PRIOR)))
    stored = await reading.curves.product(PRIOR, tenant=None)
    other = replace(stored.product, weighting=Weighting.DAYS)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(other, tenant=None, version=stored.version)
    with pytest.raises(Restated, match=f"prior curve {PRIOR} has been restated"):
        await repeat(reading, first.receipt)


async def test_a_curve_that_the_caller_may_not_read_is_unknown_to_a_receipt(store: Store) -> None:
    shared = await curve_reading(store, tenants={OWN: "acme"})
    await store.loader.load(own(session_file(OWN, DAY, QUOTES, known_at=KNOWN)))
    first = await build(reading_of_tenant(store, shared, "acme"), BuildQuestion(OWN))
    with pytest.raises(UnknownName):
        await repeat(shared, first.receipt)


async def test_a_quote_that_the_store_does_not_say_is_named_with_both_prices(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES, known_at=KNOWN))
    document = (await build(reading, BuildQuestion(BASE))).receipt.model_dump(mode="json")
    document["quotes"][1]["price"] = 90.0
    document["quotes"][3] |= {"first": "2025-01-01", "end": "2025-02-01", "label": "Jan-25"}
    # Only receipts of earlier versions have no digest that would tell the change.
    document["digest"] = None
    with pytest.raises(Restated) as refused:
        await repeat(reading, Receipt.model_validate(document))
    assert refused.value.facts["restated"] == [
        {"input": "quote Nov-24", "was": 90.0, "now": 90.84},
        {"input": "quote Jan-25", "was": 98.31, "now": None},
        {"input": "quote Q1-25", "was": None, "now": 98.31},
    ]


async def test_quotes_of_the_question_need_no_store(store: Store) -> None:
    reading = await curve_reading(store)
    question = BuildQuestion(None, quotes=(InlineQuote(90.0, "Jan-25"), InlineQuote(80.0, "Q1-25")), calendar="eu_power")
    first = await build(reading, question)
    assert first.question.as_loaded is None
    again = await repeat(reading, through_json(first.receipt))
    assert (again.values["value"] == first.values["value"]).all()


@pytest.mark.parametrize(
    "damage", [{"question": {"curve": 5}}, {"question": {"grid": "P7D"}}, {"question": {"nothing": 1, "quotes": "x"}}]
)
async def test_a_document_that_no_build_made_is_refused(store: Store, damage: dict[str, Any]) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES, known_at=KNOWN))
    receipt = (await build(reading, BuildQuestion(BASE))).receipt
    with pytest.raises(InvalidParameters, match=r"receipt\.question"):
        await repeat(reading, receipt.model_copy(update=damage))
    with pytest.raises(InvalidParameters, match="receipt"):
        parse_receipt(b'{"method": 1}')
    with pytest.raises(InvalidParameters, match="receipt: Invalid JSON"):
        parse_receipt(b"root:x:0:0")
