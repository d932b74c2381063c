"""Evaluation of flags: which variant a caller gets.

Pure: the same flags, attributes and time give the same variant in every process.
"""

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
    """The reason for a variant."""

    KILLED = "killed"
    UNSCHEDULED = "unscheduled"
    PREREQUISITE = "prerequisite"
    RULE = "rule"
    SPLIT = "split"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A variant, its value and the reason for it. ``rule``: position of the deciding rule, from 0."""

    variant: str
    value: JsonValue
    outcome: FlagReason
    rule: int | None = None


class InvalidPrerequisite(Exception):
    """Flags that are prerequisites of each other, or a prerequisite that does not exist. The text names the flags."""


def evaluate(
    name: str, flags: Mapping[str, FlagDocument], attributes: Mapping[str, object], *, key: str, now: datetime
) -> Evaluation:
    """Return the evaluation of ``flags[name]`` for a caller.

    ``key``: identifies the caller for percentages; a caller included at one percentage stays included at a greater one.

    Raises ``KeyError`` when the flag does not exist, ``InvalidPrerequisite``.
    """
    if not flags[name].prerequisites:
        return _evaluate(name, flags[name], {}, attributes, key, now)
    evaluations: dict[str, Evaluation] = {}
    for flag in _in_order(name, flags):
        evaluations[flag] = _evaluate(flag, flags[flag], evaluations, attributes, key, now)
    return evaluations[name]


def check_prerequisites(name: str, flags: Mapping[str, FlagDocument]) -> None:
    """Raise ``InvalidPrerequisite`` when a prerequisite of a flag does not exist, or leads back to the flag.

    Missing prerequisites of its prerequisites are not an error of this flag: those flags give their default variants.
    """
    for prerequisite in flags[name].prerequisites:
        if prerequisite.flag not in flags:
            raise InvalidPrerequisite(f"{name} needs {prerequisite.flag}, which does not exist")
    _in_order(name, flags)


def position_of(flag: str, rule: int, key: str) -> float:
    """Return the position of a key within a rule of a flag, from 0 up to 100: the rule includes it at greater percentages.

    Positions are evenly spread, and independent between flags.
    """
    digest = hashlib.blake2b(f"{flag}\0{rule}\0{key}".encode(), digest_size=4).digest()
    return 100.0 * int.from_bytes(digest, "big") / _BUCKETS


def _in_order(name: str, flags: Mapping[str, FlagDocument]) -> Iterable[str]:
    """Return a flag and all its direct and indirect prerequisites, each once and after its own prerequisites.

    Raises ``InvalidPrerequisite``.
    """
    graph: dict[str, list[str]] = {}
    unseen = [name]
    while unseen:
        flag = unseen.pop()
        if flag not in graph:
            graph[flag] = [prerequisite.flag for prerequisite in flags[flag].prerequisites if prerequisite.flag in flags]
            unseen += graph[flag]
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle: list[str] = error.args[1]
        raise InvalidPrerequisite(" needs ".join(reversed(circle))) from error


def _evaluate(
    name: str,
    flag: FlagDocument,
    evaluations: Mapping[str, Evaluation],
    attributes: Mapping[str, object],
    key: str,
    now: datetime,
) -> Evaluation:
    """Evaluate one flag. ``evaluations``: those of its prerequisites, as far as they exist."""
    if not flag.enabled:
        return _evaluation(flag, flag.off_variant, FlagReason.KILLED)
    if (flag.schedule.start and now < flag.schedule.start) or (flag.schedule.end and now >= flag.schedule.end):
        return _evaluation(flag, flag.default_variant, FlagReason.UNSCHEDULED)
    if any(one.flag not in evaluations or evaluations[one.flag].variant != one.variant for one in flag.prerequisites):
        return _evaluation(flag, flag.default_variant, FlagReason.PREREQUISITE)
    for position, rule in enumerate(flag.rules):
        if _applies(rule, attributes) and (rule.percentage >= 100 or position_of(name, position, key) < rule.percentage):
            reason = FlagReason.RULE if rule.percentage >= 100 else FlagReason.SPLIT
            return _evaluation(flag, rule.variant, reason, position)
    return _evaluation(flag, flag.default_variant, FlagReason.DEFAULT)


def _evaluation(flag: FlagDocument, variant: str, outcome: FlagReason, rule: int | None = None) -> Evaluation:
    return Evaluation(variant, flag.variants[variant], outcome, rule)


def _applies(rule: Rule, attributes: Mapping[str, object]) -> bool:
    return all(
        condition.attribute in attributes and _matches(condition, attributes[condition.attribute])
        for condition in rule.conditions
    )


def _matches(condition: Condition, actual: object) -> bool:
    value = condition.value
    match condition.operator:
        case "eq":
            return actual == value
        case "ne":
            return actual != value
        case "in":
            return isinstance(value, list) and actual in value
        case "not_in":
            return isinstance(value, list) and actual not in value
        case "contains":
            return str(value) in actual if isinstance(actual, str) else isinstance(actual, list | tuple) and value in actual
        case "starts":
            return isinstance(actual, str) and actual.startswith(str(value))
        case "ends":
            return isinstance(actual, str) and actual.endswith(str(value))
        case "matches":
            return isinstance(actual, str) and is_match(str(value), actual)
        case "gt" | "gte" | "lt" | "lte":
            return _compares(condition.operator, actual, value)


def _compares(operator: str, actual: object, value: JsonValue) -> bool:
    """Compare numbers with numbers and texts with texts; return False for any other pair."""
    if isinstance(actual, bool) or isinstance(value, bool):
        return False
    if isinstance(actual, int | float) and isinstance(value, int | float):
        return _ORDERS[operator](actual, value)
    if isinstance(actual, str) and isinstance(value, str):
        return _ORDERS[operator](actual, value)
    return False


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator_module.gt,
    "gte": operator_module.ge,
    "lt": operator_module.lt,
    "lte": operator_module.le,
}
