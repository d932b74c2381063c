"""Search of series on PostgreSQL: groups by their words, names by full text.

A page of results is read in one of two ways. A few series that match are read through the index of words, filtered and sorted.
Of very many, as for a word that every name has, the first are read in the order of keys, group by group, until the page is
full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from asyncpg import Record

from aurum.core.search.aliases import shipped_aliases
from aurum.core.search.condition import ALWAYS, NEVER, AllOf, AnyOf, Condition, Word
from aurum.core.search.groups import SearchGroup
from aurum.core.search.near import LEAST_SIMILARITY
from aurum.core.search.ranking import KnownNames, Match
from aurum.core.search.vocabulary import Vocabulary
from aurum.storage.ports.search import Position
from aurum.storage.postgres.catalog.search_rows import add_missing
from aurum.storage.postgres.connection.pool import PostgresPool

_FEW = 2_000
"""Matching names that are read and sorted; more of them are read in the order of keys."""
_RUNS = 4
"""Datasets whose series are read at once in the order of keys; each time four times as many."""
_CANDIDATES = 20

_GROUPS = """
WITH counted AS (SELECT group_id, count(*) AS series FROM series_search GROUP BY group_id)
SELECT group_id, source, dataset, measure, market, kind, market_run, fuel, location_type, words, rank, series
FROM search_group JOIN counted USING (group_id) ORDER BY rank, source, dataset, group_id
"""
_IS_COMPLETE = "SELECT (SELECT count(*) FROM series) = (SELECT count(*) FROM series_search)"
_KNOWN = """
SELECT ARRAY(SELECT word FROM search_word WHERE word = ANY($1::text[])) AS words,
       ARRAY(SELECT b FROM unnest($2::text[]) AS b WHERE EXISTS (
           SELECT FROM search_word WHERE word > b COLLATE "C" AND word < (b || chr(1114111)) COLLATE "C")) AS beginnings
"""
_HAS_TRIGRAMS = "SELECT to_regproc('similarity') IS NOT NULL"
_RESEMBLING = """
SELECT q.word AS misspelt, near.word
FROM unnest($1::text[]) AS q(word) CROSS JOIN LATERAL (
    SELECT w.word FROM search_word AS w WHERE w.word % q.word AND w.word !~ '[=0-9]'
    ORDER BY similarity(w.word, q.word) DESC, w.word LIMIT $2
) AS near
"""
_HAVING = "SELECT count(*) FROM (SELECT FROM series_search WHERE words @@ (SELECT $1::text::tsquery) LIMIT $2) AS having_it"
_CLASSES = """
class AS MATERIALIZED (
    SELECT group_id, rank, condition::tsquery AS condition, excluding::tsquery AS excluding, after
    FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[]) AS c(group_id, rank, condition, excluding, after)
)
"""
# The planner does not see the query in a sub-select, so it always reads the index of words: its estimate for words that often,
# or never, occur together would make it read the whole table.
_FEW_MATCHING = f"""
WITH {_CLASSES},
hit AS MATERIALIZED (
    SELECT group_id, key, words FROM series_search WHERE words @@ (SELECT $6::text::tsquery) LIMIT $7
),
page AS (
    SELECT class.rank, hit.key FROM hit JOIN class USING (group_id)
    WHERE hit.words @@ class.condition AND (class.excluding IS NULL OR NOT hit.words @@ class.excluding)
      AND hit.key > class.after
    ORDER BY class.rank, hit.key LIMIT $8
)
SELECT rank, key, (SELECT count(*) FROM hit) AS hits FROM page
UNION ALL SELECT NULL, NULL, count(*) FROM hit WHERE NOT EXISTS (SELECT FROM page)
"""  # noqa: S608 - constants
_IN_ORDER = f"""
WITH {_CLASSES}
SELECT class.rank, first.key FROM class CROSS JOIN LATERAL (
    SELECT s.key FROM series_search AS s
    WHERE s.group_id = class.group_id AND s.key > class.after
      AND (class.condition IS NULL OR s.words @@ class.condition)
      AND (class.excluding IS NULL OR NOT s.words @@ class.excluding)
    ORDER BY s.key LIMIT $6
) AS first
ORDER BY class.rank, first.key LIMIT $6
"""  # noqa: S608 - constants
_COUNTS = """
SELECT counted.group_id, counted.series
FROM (
    SELECT condition, array_agg(group_id) AS groups FROM unnest($1::int[], $2::text[]) AS c(group_id, condition)
    GROUP BY condition
) AS class CROSS JOIN LATERAL (
    SELECT s.group_id, count(*) AS series FROM series_search AS s
    WHERE s.words @@ class.condition::tsquery AND s.group_id = ANY(class.groups) GROUP BY s.group_id
) AS counted
"""


@dataclass(frozen=True, slots=True)
class _Class:
    """A group with the condition on its names, as text of a tsquery; None: no condition. ``after``: the key to begin after."""

    group: SearchGroup
    condition: str | None
    excluding: str | None
    after: str


class PostgresSearch:
    """``SeriesSearch`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool
        self._has_trigrams = False
        self._frequent: set[Word] = set()
        self._checked: set[Word] = set()

    async def vocabulary(self) -> Vocabulary:
        async with self._pool.acquire() as connection:
            is_complete = await connection.fetchval(_IS_COMPLETE)
        if not is_complete:
            await add_missing(self._pool)
        self._frequent.clear()
        self._checked.clear()
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_GROUPS)
        return Vocabulary([_group(row) for row in rows], shipped_aliases())

    async def known_names(self, words: Sequence[str], beginnings: Sequence[str]) -> KnownNames:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_KNOWN, list(words), list(beginnings))
        assert row is not None
        return KnownNames(frozenset(row["words"]), frozenset(row["beginnings"]))

    async def resembling_names(self, words: Sequence[str]) -> Mapping[str, Sequence[str]] | None:
        async with self._pool.acquire() as connection:
            self._has_trigrams = self._has_trigrams or await connection.fetchval(_HAS_TRIGRAMS)
            if not self._has_trigrams:
                return None
            async with connection.transaction():
                await connection.execute(f"SET LOCAL pg_trgm.similarity_threshold = {LEAST_SIMILARITY}")
                rows = await connection.fetch(_RESEMBLING, list(words), _CANDIDATES)
        names: dict[str, list[str]] = {word: [] for word in words}
        for row in rows:
            names[row["misspelt"]].append(row["word"])
        return names

    async def page(self, matches: Sequence[Match], *, after: Position | None, limit: int) -> Sequence[Position]:
        by_condition: defaultdict[Condition, list[_Class]] = defaultdict(list)
        for match in matches:
            by_condition[match.condition] += _classes(match, after)
        in_order = [one for condition in by_condition for one in by_condition[condition] if self._is_frequent(condition)]
        perhaps_few = {condition: classes for condition, classes in by_condition.items() if not self._is_frequent(condition)}
        positions = await self._few_matching([one for classes in perhaps_few.values() for one in classes], limit)
        if positions is None:
            # Of several conditions, perhaps only one is that of very many names.
            positions = list[Position]()
            for condition, classes in perhaps_few.items():
                few = await self._few_matching(classes, limit) if len(perhaps_few) > 1 else None
                if few is None:
                    in_order += classes
                    await self._learn(condition)
                else:
                    positions += few
        return sorted([*positions, *await self._in_order(in_order, limit)])[:limit]

    def _is_frequent(self, condition: Condition) -> bool:
        """Return whether very many names are known to match."""
        match condition:
            case Word():
                return condition in self._frequent
            case AnyOf(parts):
                return any(self._is_frequent(part) for part in parts)
            case AllOf(parts):
                return not parts

    async def _learn(self, condition: Condition) -> None:
        """Remember which words of a condition very many names have, so that the next search need not find out."""
        words = [condition] if isinstance(condition, Word) else condition.parts if isinstance(condition, AnyOf) else ()
        for word in words:
            if isinstance(word, Word) and word not in self._checked:
                self._checked.add(word)
                async with self._pool.acquire() as connection:
                    if await connection.fetchval(_HAVING, tsquery(word), _FEW + 1) > _FEW:
                        self._frequent.add(word)

    async def _few_matching(self, classes: Sequence[_Class], limit: int) -> list[Position] | None:
        """Return the first positions of classes with conditions; None if too many names match any of the conditions."""
        if not classes:
            return []
        any_condition = " | ".join(dict.fromkeys(one.condition or "" for one in classes))
        rows = await self._fetch(_FEW_MATCHING, classes, any_condition, _FEW + 1, limit)
        if rows[0]["hits"] > _FEW:
            return None
        return [Position(row["rank"], row["key"]) for row in rows if row["key"] is not None]

    async def _in_order(self, classes: Sequence[_Class], limit: int) -> list[Position]:
        """Return the first positions, read dataset by dataset in their order, at first few datasets at once."""
        ordered = sorted(classes, key=lambda one: one.group.run)
        runs = [list(members) for _, members in groupby(ordered, key=lambda one: one.group.run)]
        positions: list[Position] = []
        place, count = 0, _RUNS
        while place < len(runs) and len(positions) < limit:
            members = [one for run in runs[place : place + count] for one in run]
            rows = await self._fetch(_IN_ORDER, members, limit - len(positions))
            positions += [Position(row["rank"], row["key"]) for row in rows]
            place, count = place + count, count * 4
        return positions

    async def counts(self, matches: Sequence[Match]) -> Mapping[int, int]:
        whole = [match for match in matches if match.condition == ALWAYS]
        counts = {group.group_id: group.series for match in whole for group in match.groups}
        named = [match for match in matches if match.condition != ALWAYS]
        if named:
            classes = [one for match in named for one in _classes(match, None)]
            groups, conditions = [one.group.group_id for one in classes], [one.condition for one in classes]
            async with self._pool.acquire() as connection:
                rows = await connection.fetch(_COUNTS, groups, conditions)
            counts |= {row["group_id"]: row["series"] for row in rows}
        return counts

    async def _fetch(self, statement: str, classes: Sequence[_Class], *arguments: object) -> Sequence[Record]:
        async with self._pool.acquire() as connection:
            return await connection.fetch(
                statement,
                [one.group.group_id for one in classes],
                [one.group.rank for one in classes],
                [one.condition for one in classes],
                [one.excluding for one in classes],
                [one.after for one in classes],
                *arguments,
            )


def _classes(match: Match, after: Position | None) -> Iterator[_Class]:
    """Yield the groups of a match with its conditions, those left out that are wholly before ``after``."""
    condition = None if match.condition == ALWAYS else tsquery(match.condition)
    excluding = None if match.excluding == NEVER else tsquery(match.excluding)
    for group in match.groups:
        if after is None or group.rank > after.rank:
            yield _Class(group, condition, excluding, "")
        elif group.rank == after.rank:
            yield _Class(group, condition, excluding, after.key)


def tsquery(condition: Condition) -> str:
    """Return a condition as text of a tsquery. Words are letters, digits, ``=`` and ``_`` only, so quotes need no escape.

    >>> tsquery(AllOf((Word("hub"), AnyOf((Word("west"), Word("=w", is_prefix=True))))))
    "('hub' & ('west' | '=w':*))"
    """
    match condition:
        case Word(text, is_prefix):
            return f"'{text}'" + (":*" if is_prefix else "")
        case AllOf(parts):
            return "(" + " & ".join(map(tsquery, parts)) + ")"
        case AnyOf(parts):
            return "(" + " | ".join(map(tsquery, parts)) + ")"


def _group(row: Record) -> SearchGroup:
    return SearchGroup(
        group_id=row["group_id"],
        source=row["source"],
        dataset=row["dataset"],
        measure=row["measure"],
        market=row["market"],
        kind=row["kind"],
        market_run=row["market_run"],
        fuel=row["fuel"],
        location_type=row["location_type"],
        words=frozenset(row["words"]),
        rank=row["rank"],
        series=row["series"],
    )
