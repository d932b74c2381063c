"""Rows of the search: a group for the series that share their attributes, the words of each series' names, the distinct words.

A load writes them for the series that it creates or renames, in its transaction; series that did not change cost nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence, Set
from itertools import chain

from asyncpg import Record

from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.core.search.groups import GROUP_EDITION, IDENTITY, Described, described, group_words
from aurum.core.search.words import name_words
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_EDITION = "1"
"""Changes with the words that names are split into: all names are then split anew."""
_AT_ONCE = 5_000
_COLUMNS = ", ".join(IDENTITY)
_OF_SERIES = """
s.source AS source, s.dataset AS dataset, coalesce(s.market, '') AS market, coalesce(s.kind, '') AS kind, s.measure AS measure,
coalesce(s.fuel, '') AS fuel, s.location_type AS location_type, coalesce(s.market_run, '') AS market_run,
coalesce(s.fuel_detail, '') AS fuel_detail, s.frequency AS frequency
"""
"""The attributes in the order of ``IDENTITY``, from ``series`` as ``s``."""

_UNKNOWN = f"""
SELECT s.series_id, s.key, s.location, s.location_name, {_OF_SERIES}
FROM series AS s WHERE s.key = ANY($1) AND NOT EXISTS (SELECT FROM series_search AS x WHERE x.series_id = s.series_id)
ORDER BY s.key COLLATE "C"
"""  # noqa: S608 - constants
_MISSING = """
SELECT s.key, s.series_id FROM series AS s
WHERE s.series_id > $1 AND NOT EXISTS (SELECT FROM series_search AS x WHERE x.series_id = s.series_id)
ORDER BY s.series_id LIMIT $2
"""
_OUTDATED = f"""
DELETE FROM series_search AS x USING search_group AS g,
    (SELECT s.series_id, s.location_name, {_OF_SERIES} FROM series AS s) AS s
WHERE g.group_id = x.group_id AND s.series_id = x.series_id
  AND (x.edition <> $1 OR x.name <> s.location_name
       OR ({", ".join(f"g.{name}" for name in IDENTITY)}) IS DISTINCT FROM ({", ".join(f"s.{name}" for name in IDENTITY)}))
"""  # noqa: S608 - constants
_IDENTITIES = ", ".join(f"${place}::text[]" for place, _ in enumerate(IDENTITY, start=1))
_STORED_GROUPS = f"""
SELECT group_id, {_COLUMNS} FROM search_group JOIN unnest({_IDENTITIES}) AS wanted({_COLUMNS}) USING ({_COLUMNS})
"""  # noqa: S608 - constants
_ADD_GROUPS = f"""
INSERT INTO search_group ({_COLUMNS}, words, rank)
SELECT {_COLUMNS}, string_to_array(words, ' '), rank
FROM unnest({_IDENTITIES}, ${len(IDENTITY) + 1}::text[], ${len(IDENTITY) + 2}::int[]) AS described({_COLUMNS}, words, rank)
ORDER BY {_COLUMNS}
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants
_ALL_GROUPS = f"SELECT group_id, {_COLUMNS}, words, rank FROM search_group ORDER BY group_id FOR UPDATE"  # noqa: S608 - constants
_DESCRIBE_GROUPS = """
UPDATE search_group AS g SET words = string_to_array(d.words, ' '), rank = d.rank
FROM unnest($1::int[], $2::text[], $3::int[]) AS d(group_id, words, rank) WHERE g.group_id = d.group_id
"""
_ADD_NAMES = """
INSERT INTO series_search (series_id, group_id, key, name, words, edition)
SELECT series_id, group_id, key, name, array_to_tsvector(string_to_array(words, ' ')), $6
FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[]) AS n(series_id, group_id, key, name, words)
ON CONFLICT DO NOTHING
"""
# In the order of words, so that two loads with the same new words cannot deadlock.
_ADD_WORDS = """
INSERT INTO search_word (word)
SELECT w FROM unnest($1::text[]) AS w WHERE NOT EXISTS (SELECT FROM search_word AS s WHERE s.word = w)
ORDER BY w COLLATE "C"
ON CONFLICT DO NOTHING
RETURNING word
"""
_LOCK_WORDS = "SELECT word FROM search_word WHERE word = ANY($1::text[]) ORDER BY word FOR KEY SHARE"
# A load that uses a word has locked it: such a word stays, and no one waits.
_LOCK_UNUSED = """
SELECT word FROM search_word
WHERE word = ANY($1::text[])
AND NOT EXISTS (SELECT FROM series_search WHERE words @@ (quote_literal(search_word.word))::tsquery)
ORDER BY word FOR UPDATE SKIP LOCKED
"""
# Asks again, for loads that ended before the words were locked.
_REMOVE_WORDS = """
DELETE FROM search_word WHERE word = ANY($1::text[])
AND NOT EXISTS (SELECT FROM series_search WHERE words @@ (quote_literal(search_word.word))::tsquery)
"""
_USED = "SELECT DISTINCT w AS word FROM series_search CROSS JOIN unnest(tsvector_to_array(words)) AS w"
_ABSENT_WORDS = f"SELECT u.word FROM ({_USED}) AS u WHERE NOT EXISTS (SELECT FROM search_word AS s WHERE s.word = u.word)"  # noqa: S608 - constants
_STALE_WORDS = f"SELECT s.word FROM search_word AS s WHERE NOT EXISTS (SELECT FROM ({_USED}) AS u WHERE u.word = s.word)"  # noqa: S608 - constants
_WORDS_OF = """
SELECT DISTINCT w AS word FROM series_search CROSS JOIN unnest(tsvector_to_array(words)) AS w WHERE series_id = ANY($1::int[])
"""
_FORGET = "DELETE FROM series_search WHERE series_id = ANY($1::int[])"
_DECLARED = """
SELECT d.source, d.name, d.title, d.measures, d.details, d.search_order, s.title AS source_title
FROM dataset AS d JOIN source AS s ON s.name = d.source
"""
_STATE = "SELECT declared FROM search_state"
_SET_STATE = "INSERT INTO search_state (is_only, declared) VALUES (true, $1) ON CONFLICT (is_only) DO UPDATE SET declared = $1"
_NOTIFY = "SELECT pg_notify('aurum_changes', 'catalog')"


async def add_series(connection: Connection, keys: Sequence[str]) -> int:
    """Add the series of some keys that are not in the search yet, in the caller's transaction; return their number."""
    rows = await connection.fetch(_UNKNOWN, list(keys))
    if not rows:
        return 0
    identities = sorted({tuple(row[name] for name in IDENTITY) for row in rows})
    groups = await _groups(connection, identities)
    words = await asyncio.to_thread(_words, rows) if len(rows) > _AT_ONCE else _words(rows)
    await connection.execute(
        _ADD_NAMES,
        [row["series_id"] for row in rows],
        [groups[tuple(row[name] for name in IDENTITY)] for row in rows],
        [row["key"] for row in rows],
        [row["location_name"] for row in rows],
        [" ".join(each) for each in words],
        _EDITION,
    )
    await _add_words(connection, set(chain.from_iterable(words)))
    return len(rows)


async def renew_series(connection: Connection, series_ids: Sequence[int], keys: Sequence[str]) -> None:
    """Describe some series anew, in the caller's transaction, and remove words of old names that no other name has."""
    before = await _words_of(connection, series_ids)
    await connection.execute(_FORGET, list(series_ids))
    await add_series(connection, keys)
    await _remove_unused(connection, before - await _words_of(connection, series_ids))


async def remove_series(connection: Connection, series_id: int) -> None:
    """Remove a series from the search, and the words that no other name has, in the caller's transaction."""
    words = await _words_of(connection, [series_id])
    await connection.execute(_FORGET, [series_id])
    await _remove_unused(connection, words)


async def add_missing(pool: PostgresPool) -> int:
    """Add the series that are not in the search, which an older release stored; return their number."""
    added, last = 0, 0
    while True:
        async with pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_MISSING, last, _AT_ONCE)
            if not rows:
                return added
            added += await add_series(connection, [row["key"] for row in rows])
            await connection.execute(_NOTIFY)
            last = rows[-1]["series_id"]


async def refresh(pool: PostgresPool, *, only_declared: bool = False) -> int:
    """Describe groups and names anew where they are outdated, and add missing series; return the number of series written.

    ``only_declared``: do nothing if the declarations of datasets are those of the last refresh.
    """
    async with pool.acquire() as connection:
        declared = await _declared(connection)
        state = _digest(declared)
        if only_declared and await connection.fetchval(_STATE) == state:
            return 0
        async with connection.transaction():
            is_changed = await _describe_groups(connection, declared)
            status = await connection.execute(_OUTDATED, _EDITION)
            await connection.execute(_SET_STATE, state)
            if is_changed or status != "DELETE 0":
                await connection.execute(_NOTIFY)
    added = await add_missing(pool)
    async with pool.acquire() as connection, connection.transaction():
        await _correct_words(connection)
    return added


async def _correct_words(connection: Connection) -> None:
    """Add the words of names that are not among the distinct ones, and remove those that no name has."""
    absent = {row["word"] for row in await connection.fetch(_ABSENT_WORDS)}
    await _add_words(connection, absent)
    stale = {row["word"] for row in await connection.fetch(_STALE_WORDS)}
    if await _remove_unused(connection, stale) or absent:
        await connection.execute(_NOTIFY)


async def _words_of(connection: Connection, series_ids: Sequence[int]) -> set[str]:
    return {row["word"] for row in await connection.fetch(_WORDS_OF, list(series_ids))}


async def _add_words(connection: Connection, words: Set[str]) -> None:
    """Add words that are absent, and lock the others, so that no removal that does not see these names takes them away."""
    left = set(words)
    while left:
        left -= {row["word"] for row in await connection.fetch(_ADD_WORDS, list(left))}
        # A word that was removed meanwhile is not locked, and is added in the next round.
        left -= {row["word"] for row in await connection.fetch(_LOCK_WORDS, list(left))}


async def _remove_unused(connection: Connection, words: Set[str]) -> bool:
    """Remove those of some words that no name has; return whether there were any."""
    unused = [row["word"] for row in await connection.fetch(_LOCK_UNUSED, list(words))] if words else []
    return bool(unused) and await connection.execute(_REMOVE_WORDS, unused) != "DELETE 0"


async def _groups(connection: Connection, identities: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], int]:
    """Find or create groups; return their ids by identity."""
    stored = await _stored_groups(connection, identities)
    new = [identity for identity in identities if identity not in stored]
    if not new:
        return stored
    declared = await _declared(connection)
    texts, ranks = _described_columns([dict(zip(IDENTITY, identity, strict=True)) for identity in new], declared)
    await connection.execute(_ADD_GROUPS, *map(list, zip(*new, strict=True)), texts, ranks)
    return await _stored_groups(connection, identities)


async def _stored_groups(connection: Connection, identities: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    rows = await connection.fetch(_STORED_GROUPS, *map(list, zip(*identities, strict=True)))
    return {tuple(row[name] for name in IDENTITY): row["group_id"] for row in rows}


async def _describe_groups(connection: Connection, declared: Mapping[tuple[str, str], Described]) -> bool:
    """Write the words and ranks of groups that have others now; return whether there are any."""
    rows = await connection.fetch(_ALL_GROUPS)
    texts, ranks = _described_columns([{name: row[name] for name in IDENTITY} for row in rows], declared)
    changed = [
        (row["group_id"], text, rank)
        for row, text, rank in zip(rows, texts, ranks, strict=True)
        if (row["words"], row["rank"]) != (text.split(" "), rank)
    ]
    if changed:
        await connection.execute(_DESCRIBE_GROUPS, *map(list, zip(*changed, strict=True)))
    return bool(changed)


def _described_columns(
    groups: Sequence[Mapping[str, str]], declared: Mapping[tuple[str, str], Described]
) -> tuple[list[str], list[int]]:
    """Return the words of each group, separated by blanks, and its rank."""
    texts: list[str] = []
    ranks: list[int] = []
    for attributes in groups:
        about = declared.get((attributes["source"], attributes["dataset"]), Described())
        texts.append(" ".join(group_words(attributes, about)))
        ranks.append(about.rank(attributes["measure"], attributes["kind"]))
    return texts, ranks


async def _declared(connection: Connection) -> Mapping[tuple[str, str], Described]:
    return {(row["source"], row["name"]): _description(row) for row in await connection.fetch(_DECLARED)}


def _description(row: Record) -> Described:
    entry = DatasetEntry(
        source=row["source"],
        name=row["name"],
        title=row["title"],
        zone="",
        frequency="",
        measures=tuple(row["measures"]),
        details=tuple(row["details"]),
        order=row["search_order"],
    )
    return described(SourceEntry(row["source"], row["source_title"], ""), entry)


def _digest(declared: Mapping[tuple[str, str], Described]) -> str:
    """Return a digest of the descriptions that words and ranks of groups come from, and of the edition of names."""
    parts = [
        (name, about.titles, sorted(about.measures.items()), sorted(about.details), about.order)
        for name, about in sorted(declared.items())
    ]
    return hashlib.sha256(repr((_EDITION, GROUP_EDITION, parts)).encode()).hexdigest()


def _words(rows: Sequence[Record]) -> list[list[str]]:
    return [name_words(row["location"], row["location_name"]) for row in rows]
