"""Load records of one file content, and whether rows of it are in quarantine."""

from __future__ import annotations

import pytest

from aurum.core.catalog.entries import FileStatus
from aurum.core.catalog.quality import Reason
from aurum.core.errors import Conflict
from aurum.services.quality import NoSuchContent, NothingQuarantined, check_quarantined, records_of
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import Store


async def test_every_record_of_a_content_is_returned_oldest_first(store: Store) -> None:
    file = file_load([(0, 1, 1.0)], digest="aa")
    refused = await store.loader.refuse(file.record, reason="no such dataset")
    applied = await store.loader.load(file)
    await store.loader.load(file_load([(1, 1, 1.0)], digest="bb"))
    again = await store.loader.load(file, force=True)
    stored = await records_of(store.files, "aa")
    assert [one.file_id for one in stored] == [refused, applied.file_id, again.file_id]
    assert [one.status for one in stored] == [FileStatus.REFUSED, FileStatus.APPLIED, FileStatus.APPLIED]
    assert [one.reason for one in stored] == ["no such dataset", "", ""]
    assert [(one.new, one.revised, one.unchanged) for one in stored] == [(0, 0, 0), (1, 0, 0), (0, 0, 1)]


async def test_a_content_that_was_never_offered_has_no_records(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)], digest="aa"))
    with pytest.raises(NoSuchContent) as caught:
        await records_of(store.files, "bb")
    assert caught.value.facts == {"digest": "bb"}


async def test_a_content_that_failed_to_load_has_no_records(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)], digest="aa"))
    with pytest.raises(Conflict):
        await store.loader.load(file_load([(0, 2, 2.0)], unit="kW", digest="bb", held=[(1, Reason.NON_NUMERIC)]))
    with pytest.raises(NoSuchContent):
        await records_of(store.files, "bb")
    with pytest.raises(NothingQuarantined):
        await check_quarantined(store.quality, "bb")


async def test_rows_in_quarantine_are_held_until_their_content_is_loaded_again(store: Store) -> None:
    held = file_load([(0, 1, 1.0)], digest="aa", held=[(2, Reason.NON_NUMERIC)])
    await store.loader.load(held)
    await check_quarantined(store.quality, "aa")
    await store.loader.load(file_load([(0, 1, 1.0), (1, 1, 2.0)], digest="aa"), force=True)
    with pytest.raises(NothingQuarantined) as caught:
        await check_quarantined(store.quality, "aa")
    assert caught.value.facts == {"digest": "aa"}


async def test_rows_that_are_refused_again_are_held_again(store: Store) -> None:
    held = file_load([(0, 1, 1.0)], digest="aa", held=[(2, Reason.NON_NUMERIC)])
    await store.loader.load(held)
    await store.loader.load(held, force=True)
    await check_quarantined(store.quality, "aa")


async def test_a_content_without_rows_in_quarantine_holds_nothing(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)], digest="aa"))
    await store.loader.load(file_load([(0, 1, 1.0)], digest="bb", held=[(2, Reason.NON_NUMERIC)]))
    for digest in ("aa", "cc"):
        with pytest.raises(NothingQuarantined):
            await check_quarantined(store.quality, digest)
