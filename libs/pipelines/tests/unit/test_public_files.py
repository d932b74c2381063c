"""The plan of requests for some days: which files hold them, and in which of them each day is looked for."""

from __future__ import annotations

import doctest
from datetime import date, timedelta

from aurum.pipelines import public_files
from aurum.pipelines.public_files import Granularity, PublicFiles, Query, Request, Wanted, publications, single_days
from aurum.pipelines.source import Source

TODAY = date(2025, 3, 20)


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def of_day(day: date) -> str:
    return f"https://publisher.example/day/{day}.csv"


def of_month(day: date) -> str:
    return f"https://publisher.example/month/{day:%Y-%m}.zip"


def planned(files: PublicFiles, wanted: list[date], **options: object) -> list[tuple[str, str, int]]:
    return [
        (one.granularity.value, str(one.first), len(one.days))
        for one in publications(files, wanted, today=TODAY, **options)  # type: ignore[arg-type]
    ]


def test_examples_in_the_docstrings() -> None:
    assert doctest.testmod(public_files).failed == 0


def test_a_month_that_is_over_and_wanted_whole_comes_from_its_archive() -> None:
    files = PublicFiles(day=of_day, month=of_month)
    assert planned(files, days(date(2025, 2, 1), 30)) == [
        ("month", "2025-02-01", 28),
        ("day", "2025-03-01", 1),
        ("day", "2025-03-02", 1),
    ]


def test_the_days_of_a_month_that_is_not_over_come_from_their_own_files() -> None:
    files = PublicFiles(day=of_day, month=of_month)
    assert {kind for kind, _, _ in planned(files, days(date(2025, 3, 1), 31))} == {"day"}


def test_days_whose_own_files_are_gone_come_from_the_month() -> None:
    files = PublicFiles(day=of_day, month=of_month, days_online=10)
    assert planned(files, [date(2025, 2, 27), date(2025, 3, 9), date(2025, 3, 10)]) == [
        ("month", "2025-02-01", 1),
        ("month", "2025-03-01", 1),
        ("day", "2025-03-10", 1),
    ]


def test_a_month_without_an_archive_yet_is_fetched_by_its_wanted_days() -> None:
    files = PublicFiles(day=of_day, month=of_month)
    (month,) = publications(files, days(date(2025, 2, 1), 28), today=TODAY)
    assert [one.requests[0].url for one in single_days(files, month)][:2] == [of_day(date(2025, 2, day)) for day in (1, 2)]
    assert single_days(PublicFiles(month=of_month), month) == []


def test_files_of_years_and_of_the_whole_history_are_requested_once() -> None:
    wanted = days(date(2024, 12, 30), 4)
    assert planned(PublicFiles(year=lambda day: f"https://publisher.example/{day:%Y}.csv"), wanted) == [
        ("year", "2024-01-01", 2),
        ("year", "2025-01-01", 2),
    ]
    assert planned(PublicFiles(history="https://publisher.example/all.csv"), wanted) == [("history", "2024-12-30", 4)]


def test_days_with_one_address_are_requested_once() -> None:
    assert planned(PublicFiles(day=lambda day: f"https://publisher.example/{day:%G-W%V}.csv"), days(date(2025, 3, 3), 8)) == [
        ("day", "2025-03-03", 7),
        ("day", "2025-03-10", 1),
    ]


def test_a_query_has_at_most_its_longest_days_without_gaps_and_a_request_for_each_part() -> None:
    def requests(wanted: Wanted) -> list[Request]:
        return [Request(f"https://publisher.example/{wanted.part}?from={wanted.first}&to={wanted.last}")]

    files = PublicFiles(query=Query(requests, parts=("FR", "DE"), longest_days=2))
    plan = publications(files, [*days(date(2025, 1, 1), 3), date(2025, 1, 9)], today=TODAY)
    assert [(str(one.first), str(one.last), len(one.requests)) for one in plan] == [
        ("2025-01-01", "2025-01-02", 2),
        ("2025-01-03", "2025-01-03", 2),
        ("2025-01-09", "2025-01-09", 2),
    ]
    (chosen,) = publications(files, [TODAY], today=TODAY, parts=["PL"])
    assert [one.url for one in chosen.requests] == [f"https://publisher.example/PL?from={TODAY}&to={TODAY}"]


def test_plain_addresses_of_days_and_months_are_public_files() -> None:
    source = Source("one", "One", "", (), urls={"daily": of_day}, archives={"monthly": of_month}, manual="A manual")
    daily, monthly = source.public_files("daily"), source.public_files("monthly")
    assert daily is not None
    assert monthly is not None
    assert (daily.granularity, daily.manual) == (Granularity.DAY, "A manual")
    assert monthly.granularity is Granularity.MONTH
    assert source.public_files("other") is None
