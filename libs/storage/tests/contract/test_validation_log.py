"""Validations, the results of the checks of files and marts, and their retention."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aurum.common.clock import SystemClock
from aurum.core.catalog.expectations import Severity
from aurum.core.catalog.validations import ExpectationOutcome, ValidationResult
from aurum.core.errors import NotFound
from aurum.storage.ports.files import FileRecord
from aurum.storage.ports.quality import Retention, ValidationFilter
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import Store

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

BOUNDS = ExpectationOutcome(
    expectation="expect_column_values_to_be_between",
    column="value",
    kwargs={"column": "value", "min_value": -1000, "max_value": 1e4, "row_condition": 'measure=="lmp"'},
    severity=Severity.CRITICAL,
    success=False,
    evaluated=24,
    unexpected=2,
    sample=({"line": 3, "location": 'A"<b>', "value": 99_999.5}, {"line": 9, "location": "Zürich", "value": None}),
    why="not a price",
)
COUNT = ExpectationOutcome(
    expectation="expect_table_row_count_to_be_between",
    column=None,
    kwargs={"min_value": 1},
    severity=Severity.WARNING,
    success=False,
    evaluated=0,
    unexpected=None,
    observed="0 rows",
)
GOOD = replace(BOUNDS, success=True, unexpected=0, sample=())


def of_file(*outcomes: ExpectationOutcome, dataset: str = "numbers", reason: str = "") -> ValidationResult:
    return ValidationResult(
        suite=f"invented_{dataset}", source="invented", dataset=dataset, rows=24, outcomes=outcomes, reason=reason
    )


def of_mart(*outcomes: ExpectationOutcome, mart: str = "fct_prices", run_id: str = "run-1") -> ValidationResult:
    return ValidationResult(suite=mart, mart=mart, run_id=run_id, rows=7, outcomes=outcomes)


async def page(store: Store, **criteria: object) -> list[int]:
    page = await store.validations.validations_page(
        ValidationFilter(**criteria),  # pyright: ignore[reportArgumentType] - each test passes the type of the field
        before=None,
        limit=99,
    )
    return [entry.validation_id for entry in page]


async def test_what_the_checks_of_a_file_found_is_on_record_with_the_file(store: Store) -> None:
    load = replace(file_load([(0, 1, 1.0)]), validations=(of_file(BOUNDS, COUNT),))
    loaded = await store.loader.load(load)
    (entry,) = await store.validations.validations_page(ValidationFilter(), before=None, limit=9)
    assert (entry.suite, entry.source, entry.dataset, entry.mart, entry.run_id) == (
        "invented_numbers",
        "invented",
        "numbers",
        None,
        None,
    )
    assert (entry.file_id, entry.file_name) == (loaded.file_id, "invented.csv")
    assert (entry.rows, entry.expectations, entry.failed, entry.warned, entry.success) == (24, 2, 1, 1, False)
    assert abs(entry.validated_at - SystemClock().now()) < timedelta(minutes=5)
    validation = await store.validations.validation(entry.validation_id)
    assert validation.entry == entry
    assert validation.outcomes == (BOUNDS, COUNT)


async def test_a_file_that_is_not_loaded_again_is_not_recorded_again(store: Store) -> None:
    load = replace(file_load([(0, 1, 1.0)]), validations=(of_file(GOOD),))
    for _ in range(2):
        await store.loader.load(load)
    assert len(await page(store)) == 1
    await store.loader.load(load, force=True)
    assert len(await page(store)) == 2


async def test_a_refused_file_keeps_what_failed(store: Store) -> None:
    file_id = await store.loader.refuse(
        FileRecord("short.csv", "aa", 3, "invented", "numbers"),
        reason="0 observations",
        validations=(of_file(COUNT, reason="0 observations"),),
    )
    (entry,) = await store.validations.validations_page(ValidationFilter(success=False), before=None, limit=9)
    assert (entry.file_id, entry.file_name, entry.reason) == (file_id, "short.csv", "0 observations")
    assert not entry.success
    assert entry.failed == 0


async def test_a_warning_is_recorded_and_fails_nothing(store: Store) -> None:
    await store.validations.record_validations([of_file(COUNT)])
    (entry,) = await store.validations.validations_page(ValidationFilter(), before=None, limit=9)
    assert (entry.success, entry.failed, entry.warned) == (True, 0, 1)


async def test_marts_are_recorded_with_the_run_that_built_them(store: Store) -> None:
    (validation_id,) = await store.validations.record_validations([of_mart(GOOD)])
    entry = (await store.validations.validation(validation_id)).entry
    assert (entry.mart, entry.run_id, entry.dataset, entry.file_id, entry.file_name) == (
        "fct_prices",
        "run-1",
        None,
        None,
        None,
    )


async def test_validations_come_newest_first_in_pages_and_by_filter(store: Store) -> None:
    good, bad, mart = await store.validations.record_validations(
        [of_file(GOOD), of_file(BOUNDS, dataset="others"), of_mart(GOOD)]
    )
    newest = (await store.validations.validation(mart)).entry.validated_at
    cases: list[tuple[dict[str, object], list[int]]] = [
        ({}, [mart, bad, good]),
        ({"success": True}, [mart, good]),
        ({"success": False}, [bad]),
        ({"suite": "invented_others"}, [bad]),
        ({"source": "invented"}, [bad, good]),
        ({"dataset": "numbers"}, [good]),
        ({"mart": "fct_prices"}, [mart]),
        ({"mart": "fct_none"}, []),
        ({"since": LONG_AGO}, [mart, bad, good]),
        ({"since": newest + timedelta(seconds=1)}, []),
    ]
    for criteria, expected in cases:
        assert await page(store, **criteria) == expected, criteria
    following = await store.validations.validations_page(ValidationFilter(), before=mart, limit=1)
    assert [entry.validation_id for entry in following] == [bad]


async def test_the_latest_of_each_suite_is_one_query(store: Store) -> None:
    await store.validations.record_validations([of_file(BOUNDS), of_file(GOOD), of_mart(GOOD)])
    latest = await store.validations.latest_validations()
    assert [(entry.suite, entry.success) for entry in latest] == [("fct_prices", True), ("invented_numbers", True)]


async def test_a_missing_validation_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.validations.validation(9)


async def test_what_is_forgotten_is_the_oldest_of_each_verdict(store: Store) -> None:
    ids = await store.validations.record_validations([of_file(BOUNDS), *[of_file(GOOD)] * 4, of_mart(GOOD)])
    assert await store.validations.forget_validations(Retention(LONG_AGO, each=2), suites=["invented_numbers"]) == 2
    assert await page(store) == [ids[5], ids[4], ids[3], ids[0]], "the failure and the other suite stay"
    assert (await store.validations.validation(ids[0])).outcomes == (BOUNDS,)
    assert await store.validations.forget_validations(Retention(LONG_AGO, each=2), suites=["invented_numbers"]) == 0


async def test_what_is_too_old_is_forgotten_however_few_there_are(store: Store) -> None:
    await store.validations.record_validations([of_file(BOUNDS), of_mart(GOOD)])
    later = SystemClock().now() + timedelta(hours=1)
    assert await store.validations.forget_validations(Retention(later, each=9), suites=["invented_numbers", "missing"]) == 1
    assert [entry.mart for entry in await store.validations.latest_validations()] == ["fct_prices"]


@pytest.mark.parametrize("text", ["nul\0", "a\\u0000", "\\\0", "'; DROP TABLE validation; --", "\u2028\ud7ff"])
async def test_hostile_values_are_stored_as_values(store: Store, text: str) -> None:
    broken = replace(BOUNDS, sample=({"location": text},), observed=text)
    (validation_id,) = await store.validations.record_validations([of_file(broken)])
    (outcome,) = (await store.validations.validation(validation_id)).outcomes
    stored = outcome.sample[0]["location"]
    assert stored.replace("\ufffd", "\0") == text
    assert outcome.observed is not None
    assert outcome.observed.replace("\ufffd", "\0") == text
