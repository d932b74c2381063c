"""Tells whether a change of a flag reaches callers of other tenants."""

from __future__ import annotations

from aurum.common.flags.document import Condition, FlagDocument, Rule


def reaches_others(before: FlagDocument | None, after: FlagDocument | None, tenant: str) -> bool:
    """Return whether a change can give a caller of another tenant another variant. None: there is no flag.

    Only rules that need the caller to be of the tenant may differ, wherever they stand: such a rule never matches others.
    """
    if before is None or after is None:
        return True
    return _for_others(before, tenant) != _for_others(after, tenant)


def _for_others(flag: FlagDocument, tenant: str) -> FlagDocument:
    return flag.model_copy(update={"rules": [rule for rule in flag.rules if not _is_of(rule, tenant)]})


def _is_of(rule: Rule, tenant: str) -> bool:
    return any(_needs(condition, tenant) for condition in rule.conditions)


def _needs(condition: Condition, tenant: str) -> bool:
    if condition.attribute != "tenant":
        return False
    return (condition.operator == "eq" and condition.value == tenant) or (
        condition.operator == "in" and condition.value == [tenant]
    )
