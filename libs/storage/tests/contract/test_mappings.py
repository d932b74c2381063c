"""Mappings that administrators stored. The tests of services cover the rules for changes."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.errors import Conflict, UnknownName
from aurum.core.frames import REFUSED
from aurum.storage.ports.access import Actor
from aurum.storage.ports.mappings import NewMapping
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import Store

OPERATOR = Actor("operator", None, "request-1")
PLACE = NewMapping(MappingKind.AREA, "europe", "Grossbritannien", "grossbritannien", "GB")
UNIT = NewMapping(MappingKind.UNIT, "*", "EUR per MW hour", "eur per mw hour", "EUR/MWh")


async def test_a_mapping_is_added_changed_and_deleted(store: Store) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        added = await tx.mappings.add(PLACE, by="operator")
        await tx.mappings.add(UNIT, by="operator")
    assert (added.kind, added.scope, added.spelling, added.target) == (MappingKind.AREA, "europe", "Grossbritannien", "GB")
    assert (added.version, added.updated_by) == (1, "operator")
    assert [one.spelling for one in await store.mappings.mappings()] == ["Grossbritannien", "EUR per MW hour"]
    assert [one.kind for one in await store.mappings.mappings(kind=MappingKind.UNIT)] == [MappingKind.UNIT]
    async with store.transactions.transaction(by=OPERATOR) as tx:
        changed = await tx.mappings.change(added.mapping_id, "FR", version=1, by="other")
    assert (changed.target, changed.version, changed.updated_by) == ("FR", 2, "other")
    assert await store.mappings.mapping(added.mapping_id) == changed
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.mappings.delete(added.mapping_id, version=2)
    assert [one.kind for one in await store.mappings.mappings()] == [MappingKind.UNIT]
    with pytest.raises(UnknownName, match="mapping"):
        await store.mappings.mapping(added.mapping_id)


async def test_a_spelling_has_one_mapping_in_its_kind_and_scope(store: Store) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.mappings.add(PLACE, by="operator")
    with pytest.raises(Conflict, match="has a mapping already"):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.mappings.add(replace(PLACE, spelling="GROSSBRITANNIEN"), by="operator")
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.mappings.add(replace(PLACE, scope="us"), by="operator")
    assert [one.scope for one in await store.mappings.mappings()] == ["europe", "us"]


async def test_of_two_edits_of_one_version_the_second_is_a_conflict(store: Store) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        added = await tx.mappings.add(PLACE, by="operator")
        await tx.mappings.change(added.mapping_id, "FR", version=1, by="operator")
    with pytest.raises(Conflict, match="has version 2, not 1"):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.mappings.change(added.mapping_id, "DE", version=1, by="operator")
    with pytest.raises(Conflict, match="has version 2, not 1"):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.mappings.delete(added.mapping_id, version=1)
    with pytest.raises(UnknownName, match="mapping"):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.mappings.delete(added.mapping_id + 1, version=1)


async def test_explanations_of_pending_rows_are_grouped_up_to_their_first_semicolon_outside_of_quotes(store: Store) -> None:
    details = [
        "unit 'a'b' is not known; 1 row",
        "region 'Albion' is not in the mapping",
        "period 'Kal 26': no; 3 prices",
        "period 'Kal 26': no; 1 prices",
        "region 'Al;bion' is not in the mapping; 1 column",
        'region "L\'Al;bion" is not in the mapping; 2 columns',
        r"region 'L\'Al;\"bion' is not in the mapping; 2 columns",
    ]
    rows = pl.DataFrame(
        [
            {"line": line, "column": "A1", "raw": "", "reason": "unknown_code", "detail": text}
            for line, text in enumerate(details, start=1)
        ],
        schema=REFUSED,
    )
    load = file_load([(0, 0, 1.0)])
    outcome = await store.loader.load(replace(load, quarantine=rows))
    assert outcome.quarantined == len(details)
    held = await store.mappings.held_texts([load.record.source or ""], ["unknown_code"], limit=10)
    assert [(one.detail, one.rows, one.files) for one in held] == [
        ("period 'Kal 26': no", 2, 1),
        ('region "L\'Al;bion" is not in the mapping', 1, 1),
        ("region 'Al;bion' is not in the mapping", 1, 1),
        ("region 'Albion' is not in the mapping", 1, 1),
        (r"region 'L\'Al;\"bion' is not in the mapping", 1, 1),
        ("unit 'a'b' is not known", 1, 1),
    ]
    assert {one.file_name for one in held} == {load.record.name}
    assert all(one.first_seen <= one.last_seen for one in held)
    assert await store.mappings.held_texts(["other"], ["unknown_code"], limit=10) == []
    assert await store.mappings.held_texts([load.record.source or ""], ["invalid_time"], limit=10) == []
