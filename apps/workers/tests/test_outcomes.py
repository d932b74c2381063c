"""The wait before another attempt: that of the settings, or of the definition where it names one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aurum.common.clock import SystemClock
from aurum.common.settings import WorkersSettings
from aurum.core.errors import Unavailable
from aurum.services.jobs.definitions import DELIVERY, default_definitions
from aurum.storage.ports.jobs import Claim
from aurum.workers.failures import Failure
from aurum.workers.outcomes import Outcomes


def claim(name: str, attempts: int) -> Claim:
    at = datetime(2025, 11, 3, tzinfo=UTC)
    return Claim("1", attempts, attempts, name, {}, "interactive", None, "test", 0, 0, at, {})


def test_a_webhook_that_fails_is_tried_for_more_than_a_day() -> None:
    outcomes = Outcomes(WorkersSettings(), SystemClock())
    waits = timedelta()
    for attempts in range(1, DELIVERY.attempts):
        failure = Failure.of(Unavailable("the receiver answers 500"))
        outcome = outcomes.failed(claim(DELIVERY.name, attempts), DELIVERY, failure)
        assert outcome.run_after is not None
        waits += outcome.run_after - SystemClock().now()
    assert waits > timedelta(days=1)


def test_other_jobs_wait_as_long_as_the_settings_say() -> None:
    definition = default_definitions()["ingest.file"]
    outcomes = Outcomes(WorkersSettings(longest_retry_s=5.0), SystemClock())
    outcome = outcomes.failed(claim(definition.name, definition.attempts - 1), definition, Failure.of(Unavailable("away")))
    assert outcome.run_after is not None
    assert outcome.run_after - SystemClock().now() <= timedelta(seconds=5)
