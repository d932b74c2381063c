"""The settings that must be present before a month may leave the store."""

from __future__ import annotations

import pytest

from aurum.common.settings import DatabaseSettings, HistorySettings
from aurum.pipelines.history.archive import NoHistory, archive_of
from aurum.storage.memory import MemoryHistory

ELSEWHERE = DatabaseSettings(url="postgresql://aurum@database/aurum")


class NoLog:
    """A stand-in whose methods are never called."""


@pytest.mark.parametrize(
    ("history", "named"),
    [(HistorySettings(tier="none"), "AURUM_HISTORY__TIER"), (HistorySettings(), "AURUM_HISTORY__URL")],
)
def test_without_a_lasting_folder_nothing_is_archived(history: HistorySettings, named: str) -> None:
    store = None if history.tier == "none" else MemoryHistory()
    with pytest.raises(NoHistory, match=named):
        archive_of(history, ELSEWHERE, NoLog(), store)  # type: ignore[arg-type]


@pytest.mark.parametrize("history", [HistorySettings(tier="trino"), HistorySettings(url="/history")])
def test_a_folder_that_every_process_can_use_is_accepted(history: HistorySettings) -> None:
    store = MemoryHistory()
    assert archive_of(history, ELSEWHERE, NoLog(), store).history is store  # type: ignore[arg-type]
