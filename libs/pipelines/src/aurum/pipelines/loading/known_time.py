"""The known times of a file's observations or quotes: as the operator, the file, its server or the publication rule of its
dataset says.

Without a choice of the operator, the first of these holds: the time the file states, the time its server states, the rule, the
moment at which the file was taken in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.errors import Invalid
from aurum.core.markettime import InvalidInstant, local_day, parse_moment
from aurum.core.publication import AfterInterval, known_times
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.source import Content, Dataset, NamedContent, RefusedFile
from aurum.pipelines.usual_times import usual_times, usual_times_of_quotes
from aurum.storage.ports.observations import RuleDated


class InvalidKnownAt(Invalid):
    """A known time that is neither a time with an offset, nor ``file``, ``schedule`` or ``now``. Facts: ``known_at``."""


class KnownAtChoice(StrEnum):
    """The known time of a file, as the operator chooses it."""

    FILE = "file"
    """The time that the file states."""
    SCHEDULE = "schedule"
    """The usual publication time, also for a file that was taken in when it was published."""
    NOW = "now"
    """The moment at which the file is taken in, as for a correction that has just appeared."""
    TIME = "time"
    """A time that the operator states."""


@dataclass(frozen=True, slots=True)
class KnownAtPolicy:
    """How the known time of a file is found. ``choice``: None for the best that is known; ``time``: with TIME only.

    ``available_at``: when the publisher's server made the file available (``Last-Modified``). ``is_bound``: that time is only
    an upper bound of the publication time, because the file holds more than was published then. ``is_fetched``: Aurum has just
    fetched the file itself, so what it corrects became known by now.
    """

    choice: KnownAtChoice | None = None
    time: datetime | None = None
    available_at: datetime | None = None
    is_fetched: bool = False
    is_bound: bool = False

    @classmethod
    def parse(cls, text: str | None) -> KnownAtPolicy:
        """Read a time (RFC 3339 with an offset), ``file``, ``schedule``, ``now`` or None. Raises ``InvalidKnownAt``."""
        if text is None:
            return cls()
        if text in (KnownAtChoice.FILE, KnownAtChoice.SCHEDULE, KnownAtChoice.NOW):
            return cls(KnownAtChoice(text))
        try:
            return cls(KnownAtChoice.TIME, parse_moment(text))
        except InvalidInstant as error:
            raise InvalidKnownAt(f"known-at: {error.detail}, or 'file', 'schedule' or 'now'", known_at=text) from error


@dataclass(frozen=True, slots=True)
class KnownTime:
    """The known times of one dataset in one file.

    ``time``, ``basis``: of the rows without a known time of their own; ``time`` None is the moment of loading. ``own``: the
    scheduled times, one for each row, null for rows without; None: no row has one. ``rule``: set where rows are scheduled.
    """

    basis: KnownAtBasis
    time: datetime | None = None
    own: pl.Series | None = None
    rule: RuleDated | None = None


def known_time(
    parsed: Content,
    policy: KnownAtPolicy,
    now: datetime,
    named: NamedContent | None = None,
    terms: ReadingTerms = SHIPPED_TERMS,
) -> KnownTime:
    """Apply a policy. ``now``: the present instant, UTC. ``named``: what the file's name says of its days.

    ``terms``: have the sessions of venues.

    Raises ``RefusedFile`` when the file or its dataset does not have what the operator chose.
    """
    match policy.choice:
        case KnownAtChoice.TIME:
            if policy.time is not None and policy.time > now:
                raise RefusedFile(f"known-at {policy.time.isoformat()}: nothing can be known before it is published")
            return KnownTime(KnownAtBasis.STATED, policy.time)
        case KnownAtChoice.NOW:
            return KnownTime(KnownAtBasis.INGESTED)
        case KnownAtChoice.SCHEDULE:
            return _by_rule(parsed, policy, now, named, terms, near=False)
        case KnownAtChoice.FILE:
            return _published(_stated(parsed), now)
        case None:
            if parsed.known_at is not None:
                return _published(parsed.known_at, now)
            if policy.available_at is not None and not policy.is_bound and not _is_by_interval(parsed.dataset):
                return _published(policy.available_at, now)
            return _by_rule(parsed, policy, now, named, terms, near=True)


def _is_by_interval(dataset: Dataset) -> bool:
    """Return whether a file of the dataset is rewritten interval by interval, so that its last writing dates none of them."""
    return any(isinstance(rule.moment, AfterInterval) for rule in dataset.rules)


def _stated(parsed: Content) -> datetime:
    if parsed.known_at is not None:
        return parsed.known_at
    if parsed.answered_at is not None:
        raise RefusedFile(
            f"known-at 'file': the file says when it was asked for ({parsed.answered_at.isoformat()}), not when its numbers "
            "were published; leave it out, or use 'schedule'"
        )
    raise RefusedFile("known-at 'file': the file does not say when it was published; give a time, 'schedule' or 'now'")


def _published(stated: datetime, now: datetime) -> KnownTime:
    # The clock of a publisher may be ahead, but what is here is known.
    return KnownTime(KnownAtBasis.PUBLISHED, stated) if stated <= now else KnownTime(KnownAtBasis.INGESTED)


def _by_rule(
    parsed: Content, policy: KnownAtPolicy, now: datetime, named: NamedContent | None, terms: ReadingTerms, *, near: bool
) -> KnownTime:
    """Return the known times by the publication rule, and the moment of the file where it was taken in near publication."""
    dataset = parsed.dataset
    if not near and not dataset.rules:
        raise RefusedFile(
            f"known-at 'schedule': dataset {dataset.source}:{dataset.name} has no publication rule; give a time or 'now'"
        )
    bounds = [bound for bound in (parsed.answered_at, policy.available_at) if bound is not None]
    answered_at = min(*bounds, now) if bounds else None
    moment = KnownTime(KnownAtBasis.INGESTED, answered_at)
    if not dataset.rules or parsed.rows.is_empty():
        return moment
    issue_at = issue_time(parsed, named)
    own = _own_times(parsed, issue_at, answered_at, now, terms, near=near)
    latest = own.max()
    if not near and parsed.known_at is not None and isinstance(latest, datetime) and latest > parsed.known_at:
        raise RefusedFile(
            f"known-at 'schedule': the rule of the dataset says {latest:%Y-%m-%dT%H:%MZ}, which is after the publication that "
            f"the file states, {parsed.known_at:%Y-%m-%dT%H:%MZ}: use 'file'"
        )
    if own.null_count() == own.len():
        return moment
    may_correct = policy.is_fetched or answered_at is not None
    return KnownTime(moment.basis, moment.time, own, RuleDated(may_correct=may_correct))


def issue_time(parsed: Content, named: NamedContent | None) -> datetime | None:
    """Return the usual publication time of a file that is one issue of several days; None for other files."""
    rule = next((rule for rule in parsed.dataset.rules if rule.per_issue), None)
    if rule is None or isinstance(parsed, ParsedQuotes) or parsed.rows.is_empty():
        return None
    if named is not None and named.first is not None:
        return rule.of_issue(named.first)
    first = parsed.rows.select(local_day(pl.col("ts").min(), parsed.dataset.zone)).item()
    assert isinstance(first, date)
    return rule.of_issue(first)


def _own_times(
    parsed: Content,
    issue_at: datetime | None,
    answered_at: datetime | None,
    now: datetime,
    terms: ReadingTerms,
    *,
    near: bool,
) -> pl.Series:
    """Return the known time by the rule of each row; null for rows that are known when the file was taken in."""
    if isinstance(parsed, ParsedQuotes):
        usual = usual_times_of_quotes(parsed.dataset, parsed.rows, terms)
        return known_times(usual["scheduled"], taken_in=now, near=usual["near"] if near else None, answered_at=answered_at)
    clocks = parsed.series.select("location", "measure", "zone", "frequency", "labels")
    placed = parsed.rows.select("location", "measure", "ts").join(
        clocks, on=["location", "measure"], how="left", maintain_order="left"
    )
    usual = usual_times(parsed.dataset, placed, issue_at=issue_at)
    return known_times(usual["scheduled"], taken_in=now, near=usual["near"] if near else None, answered_at=answered_at)
