"""Decides whether a change of a flag affects callers of other tenants."""

from __future__ import annotations

from aurum.common.flags.document import Condition, FlagDocument, Rule


def reaches_others(before: FlagDocument | None, after: FlagDocument | None, tenant: str) -> bool:
    """Return whether a change can give a caller of another tenant another variant. None: the flag does not exist.

    A rule with a condition that only callers of ``tenant`` meet never matches others. So a change of such rules alone, their
    order included, does not affect other tenants.
    """
    if before is None or after is None:
        return True
    return _without_own_rules(before, tenant) != _without_own_rules(after, tenant)


def _without_own_rules(flag: FlagDocument, tenant: str) -> FlagDocument:
    return flag.model_copy(update={"rules": [rule for rule in flag.rules if not _is_own(rule, tenant)]})


def _is_own(rule: Rule, tenant: str) -> bool:
    return any(_requires(condition, tenant) for condition in rule.conditions)


def _requires(condition: Condition, tenant: str) -> bool:
    if condition.attribute != "tenant":
        return False
    return (condition.operator == "eq" and condition.value == tenant) or (
        condition.operator == "in" and condition.value == [tenant]
    )
