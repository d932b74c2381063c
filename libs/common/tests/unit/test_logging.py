"""Log lines: what loggers of libraries may write."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from aurum.common.settings import LoggingSettings
from aurum.common.telemetry.logging import configure_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, pool = logging.getLogger(), logging.getLogger("asyncpg.pool")
    handlers, levels = list(root.handlers), (root.level, pool.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    pool.setLevel(levels[1])


def test_a_pool_whose_database_restarts_writes_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LoggingSettings())
    try:
        raise ConnectionRefusedError(111, "Connection refused")
    except ConnectionRefusedError as error:
        logging.getLogger("asyncpg.pool").warning("Failed to restore the pool connection floor; retrying", exc_info=error)
        logging.getLogger("aurum.x").warning("the database cannot be reached")
    written = capsys.readouterr().err
    assert "Traceback" not in written
    assert "the database cannot be reached" in written


def test_tests_hear_a_logger_that_was_used_under_the_configuration_of_an_earlier_one() -> None:
    log = structlog.get_logger("aurum.x")
    for _ in range(2):
        configure_logging(LoggingSettings())
        log.warning("not captured")
    with capture_logs() as lines:
        log.warning("slow query")
    assert [line["event"] for line in lines] == ["slow query"]
