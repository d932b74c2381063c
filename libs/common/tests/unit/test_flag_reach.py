"""A change of a flag reaches others unless only rules of one tenant differ."""

from __future__ import annotations

from typing import Any

import pytest

from aurum.common.flags import FlagDocument, reaches_others


def rule(value: object, *, attribute: str = "tenant", operator: str = "eq", variant: str = "on") -> dict[str, Any]:
    return {"conditions": [{"attribute": attribute, "operator": operator, "value": value}], "variant": variant}


def flag(*rules: dict[str, Any], **others: Any) -> FlagDocument:
    return FlagDocument.model_validate({"rules": list(rules), **others})


BEFORE = flag(rule("bolt"), {"variant": "on", "percentage": 10})


@pytest.mark.parametrize(
    "after",
    [
        flag(rule("acme"), rule("bolt"), {"variant": "on", "percentage": 10}),
        flag(rule("bolt"), rule(["acme"], operator="in"), {"variant": "on", "percentage": 10}, rule("acme")),
        flag(
            rule("bolt"),
            {"variant": "on", "percentage": 10},
            {"conditions": [*rule("acme")["conditions"], *rule("pro", attribute="plan")["conditions"]], "variant": "off"},
        ),
        BEFORE,
    ],
)
def test_rules_of_the_tenant_reach_no_other(after: FlagDocument) -> None:
    assert not reaches_others(BEFORE, after, "acme")
    assert not reaches_others(after, BEFORE, "acme")


@pytest.mark.parametrize(
    "after",
    [
        flag(rule("bolt")),
        flag(rule("bolt", variant="off"), {"variant": "on", "percentage": 10}),
        flag({"variant": "on", "percentage": 10}, rule("bolt")),
        flag(rule("bolt"), {"variant": "on", "percentage": 10}, rule(["acme", "core"], operator="in")),
        flag(rule("bolt"), {"variant": "on", "percentage": 10}, rule("acme", operator="ne")),
        flag(rule("bolt"), {"variant": "on", "percentage": 10}, rule("acme", attribute="subject")),
        flag(rule("bolt"), {"variant": "on", "percentage": 10}, {"variant": "on"}),
        flag(rule("bolt"), {"variant": "on", "percentage": 10}, enabled=False),
        flag(rule("bolt"), {"variant": "on", "percentage": 10}, default_variant="on"),
        None,
    ],
)
def test_everything_else_reaches_others(after: FlagDocument | None) -> None:
    assert reaches_others(BEFORE, after, "acme")
    assert reaches_others(after, BEFORE, "acme")
