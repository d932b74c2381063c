"""Conditions over the words of a name: a word, the beginning of a word, all of several conditions, or any of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Word:
    """The name has the word, or with ``is_prefix`` a word that begins with it."""

    text: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; without parts it always holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds; without parts it never holds."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = Word | AllOf | AnyOf

ALWAYS, NEVER = AllOf(()), AnyOf(())


def all_of(parts: Iterable[Condition]) -> Condition:
    """Return the condition that all parts hold, in its simplest form."""
    simple: dict[Condition, None] = {}
    for part in parts:
        if part == NEVER:
            return NEVER
        simple |= dict.fromkeys(part.parts if isinstance(part, AllOf) else (part,))
    return next(iter(simple)) if len(simple) == 1 else AllOf(tuple(simple))


def any_of(parts: Iterable[Condition]) -> Condition:
    """Return the condition that one of the parts holds, in its simplest form."""
    simple: dict[Condition, None] = {}
    for part in parts:
        if part == ALWAYS:
            return ALWAYS
        simple |= dict.fromkeys(part.parts if isinstance(part, AnyOf) else (part,))
    return next(iter(simple)) if len(simple) == 1 else AnyOf(tuple(simple))


def holds(condition: Condition, words: Sequence[str]) -> bool:
    """Return whether a condition holds for a name. ``words``: of the name, ascending.

    >>> holds(all_of([Word("hub"), Word("wes", is_prefix=True)]), ["hub", "western"])
    True
    """
    match condition:
        case Word(text, is_prefix):
            place = bisect_left(words, text)
            nearest = words[place] if place < len(words) else ""
            return nearest.startswith(text) if is_prefix else nearest == text
        case AllOf(parts):
            return all(holds(part, words) for part in parts)
        case AnyOf(parts):
            return any(holds(part, words) for part in parts)
