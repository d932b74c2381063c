"""Who gets which variant. Pure: the same flags, attributes and time give the same answer in every process."""

from __future__ import annotations

import hashlib
import operator as operator_module
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import JsonValue

from aurum.common.flags.document import Condition, FlagDocument, Rule
from aurum.common.flags.patterns import is_match

_BUCKETS = 1 << 32


class FlagReason(StrEnum):
    """Why a variant was given."""

    KILLED = "killed"
    UNSCHEDULED = "unscheduled"
    PREREQUISITE = "prerequisite"
    RULE = "rule"
    SPLIT = "split"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A variant, its value and why. ``rule``: the place of the rule that gave it."""

    variant: str
    value: JsonValue
    outcome: FlagReason
    rule: int | None = None


class CircularPrerequisite(Exception):
    """Flags that need each other. The text names them."""


def evaluate(
    name: str, flags: Mapping[str, FlagDocument], attributes: Mapping[str, object], *, key: str, now: datetime
) -> Evaluation:
    """What ``flags[name]`` gives. ``key``: who asks, for percentages: a key keeps its side while a percentage grows.

    Raises ``KeyError`` when there is no such flag, ``CircularPrerequisite``.
    """
    if not flags[name].prerequisites:
        return _evaluate(name, flags[name], {}, attributes, key, now)
    found: dict[str, Evaluation] = {}
    for one in _needed(name, flags):
        found[one] = _evaluate(one, flags[one], found, attributes, key, now)
    return found[name]


def refuse_circle(name: str, flags: Mapping[str, FlagDocument]) -> None:
    """Raises ``CircularPrerequisite`` when a flag needs itself, in the end, or one that is not there.

    What the flags it needs have lost since is not its fault: they give their defaults.
    """
    for needed in flags[name].prerequisites:
        if needed.flag not in flags:
            raise CircularPrerequisite(f"{name} needs {needed.flag}, which is not there")
    _needed(name, flags)


def share_of(flag: str, rule: int, key: str) -> float:
    """Where a key stands in a rule of a flag: from 0 (in at any percentage) to 100, evenly spread, each flag by itself."""
    digest = hashlib.blake2b(f"{flag}\0{rule}\0{key}".encode(), digest_size=4).digest()
    return 100.0 * int.from_bytes(digest, "big") / _BUCKETS


def _needed(name: str, flags: Mapping[str, FlagDocument]) -> Iterable[str]:
    """A flag and all that it needs, each once, behind those it needs itself. Raises ``CircularPrerequisite``."""
    graph: dict[str, list[str]] = {}
    unseen = [name]
    while unseen:
        one = unseen.pop()
        if one not in graph:
            graph[one] = [needed.flag for needed in flags[one].prerequisites if needed.flag in flags]
            unseen += graph[one]
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle: list[str] = error.args[1]
        raise CircularPrerequisite(" needs ".join(reversed(circle))) from error


def _evaluate(
    name: str,
    flag: FlagDocument,
    needed: Mapping[str, Evaluation],
    attributes: Mapping[str, object],
    key: str,
    now: datetime,
) -> Evaluation:
    """What a flag gives. ``needed``: what others gave that are there."""
    if not flag.enabled:
        return _given(flag, flag.off_variant, FlagReason.KILLED)
    if (flag.schedule.start and now < flag.schedule.start) or (flag.schedule.end and now >= flag.schedule.end):
        return _given(flag, flag.default_variant, FlagReason.UNSCHEDULED)
    if any(one.flag not in needed or needed[one.flag].variant != one.variant for one in flag.prerequisites):
        return _given(flag, flag.default_variant, FlagReason.PREREQUISITE)
    for place, rule in enumerate(flag.rules):
        if _applies(rule, attributes) and (rule.percentage >= 100 or share_of(name, place, key) < rule.percentage):
            return _given(flag, rule.variant, FlagReason.RULE if rule.percentage >= 100 else FlagReason.SPLIT, place)
    return _given(flag, flag.default_variant, FlagReason.DEFAULT)


def _given(flag: FlagDocument, variant: str, outcome: FlagReason, rule: int | None = None) -> Evaluation:
    return Evaluation(variant, flag.variants[variant], outcome, rule)


def _applies(rule: Rule, attributes: Mapping[str, object]) -> bool:
    return all(
        condition.attribute in attributes and _fits(condition, attributes[condition.attribute]) for condition in rule.conditions
    )


def _fits(condition: Condition, given: object) -> bool:
    wanted = condition.value
    match condition.operator:
        case "eq":
            return given == wanted
        case "ne":
            return given != wanted
        case "in":
            return isinstance(wanted, list) and given in wanted
        case "not_in":
            return isinstance(wanted, list) and given not in wanted
        case "contains":
            return str(wanted) in given if isinstance(given, str) else isinstance(given, list | tuple) and wanted in given
        case "starts":
            return isinstance(given, str) and given.startswith(str(wanted))
        case "ends":
            return isinstance(given, str) and given.endswith(str(wanted))
        case "matches":
            return isinstance(given, str) and is_match(str(wanted), given)
        case "gt" | "gte" | "lt" | "lte":
            return _compares(condition.operator, given, wanted)


def _compares(operator: str, given: object, wanted: JsonValue) -> bool:
    """Numbers with numbers, texts with texts; anything else never fits."""
    if isinstance(given, bool) or isinstance(wanted, bool):
        return False
    if isinstance(given, int | float) and isinstance(wanted, int | float):
        return _ORDERS[operator](given, wanted)
    if isinstance(given, str) and isinstance(wanted, str):
        return _ORDERS[operator](given, wanted)
    return False


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator_module.gt,
    "gte": operator_module.ge,
    "lt": operator_module.lt,
    "lte": operator_module.le,
}
