"""Feature flags: who gets which variant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import Reason
from pydantic import ValidationError

from aurum.common.flags import FlagDocument, FlagProvider, FlagReason, InvalidPrerequisite, check_prerequisites, evaluate

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def flag(**parts: Any) -> FlagDocument:
    return FlagDocument.model_validate(parts)


def variant(document: FlagDocument, key: str = "k", **attributes: object) -> str:
    return evaluate("f", {"f": document}, attributes, key=key, now=NOW).variant


@pytest.mark.parametrize(
    ("operator", "value", "fits", "fits_not"),
    [
        ("eq", "acme", "acme", "bolt"),
        ("ne", "acme", "bolt", "acme"),
        ("gt", 3, 4, 3),
        ("gte", 3, 3, 2),
        ("lt", 3, 2, 3),
        ("lte", 3, 3, 4),
        ("gt", "a", "b", "a"),
        ("in", ["a", "b"], "b", "c"),
        ("not_in", ["a", "b"], "c", "b"),
        ("contains", "cm", "acme", "bolt"),
        ("contains", "x", ["x", "y"], ["y"]),
        ("starts", "ac", "acme", "bac"),
        ("ends", "me", "acme", "mea"),
        ("matches", "a.*e", "acme", "acmes"),
    ],
)
def test_every_operator(operator: str, value: object, fits: object, fits_not: object) -> None:
    document = flag(rules=[{"conditions": [{"attribute": "a", "operator": operator, "value": value}], "variant": "on"}])
    assert variant(document, a=fits) == "on"
    assert variant(document, a=fits_not) == "off"
    assert variant(document) == "off", "an attribute that is missing never fits"
    if operator in ("gt", "gte", "lt", "lte"):
        assert variant(document, a=None) == variant(document, a=[]) == variant(document, a=True) == "off"


def test_the_first_rule_that_fits_counts_and_all_its_conditions_must() -> None:
    tenant = {"attribute": "tenant", "operator": "eq", "value": "acme"}
    paying = {"attribute": "plan", "operator": "ne", "value": "free"}
    document = flag(
        variants={"off": 0, "some": 1, "all": 2},
        rules=[{"conditions": [tenant, paying], "variant": "all"}, {"conditions": [tenant], "variant": "some"}],
    )
    assert variant(document, tenant="acme", plan="basic") == "all"
    assert variant(document, tenant="acme", plan="free") == "some"
    assert variant(document, tenant="bolt", plan="basic") == "off"


def test_the_kill_switch_wins_over_everything() -> None:
    document = flag(enabled=False, rules=[{"variant": "on"}])
    evaluation = evaluate("f", {"f": document}, {}, key="k", now=NOW)
    assert (evaluation.variant, evaluation.value, evaluation.outcome) == ("off", False, FlagReason.KILLED)


def test_a_schedule_is_half_open() -> None:
    later = NOW + timedelta(seconds=1)
    for start, end, expected in ((None, NOW, "off"), (NOW, None, "on"), (later, None, "off"), (None, later, "on")):
        assert variant(flag(rules=[{"variant": "on"}], schedule={"start": start, "end": end})) == expected


def test_a_prerequisite_must_have_given_its_variant() -> None:
    needing = flag(rules=[{"variant": "on"}], prerequisites=[{"flag": "base", "variant": "on"}])
    for base, expected in ((flag(rules=[{"variant": "on"}]), "on"), (flag(), "off")):
        assert evaluate("f", {"f": needing, "base": base}, {}, key="k", now=NOW).variant == expected
    assert evaluate("f", {"f": needing}, {}, key="k", now=NOW).outcome is FlagReason.PREREQUISITE


def test_flags_that_need_each_other_are_refused() -> None:
    def needing(other: str) -> FlagDocument:
        return flag(prerequisites=[{"flag": other, "variant": "on"}])

    with pytest.raises(InvalidPrerequisite, match="a needs b needs a"):
        check_prerequisites("a", {"a": needing("b"), "b": needing("a")})
    with pytest.raises(InvalidPrerequisite, match="a needs b, which does not exist"):
        check_prerequisites("a", {"a": needing("b")})
    check_prerequisites("a", {"a": needing("b"), "b": flag()})


def test_a_prerequisite_that_others_have_lost_is_not_an_error() -> None:
    orphan = flag(prerequisites=[{"flag": "gone", "variant": "on"}])
    check_prerequisites("a", {"a": flag(), "orphan": orphan})
    check_prerequisites("a", {"a": flag(prerequisites=[{"flag": "orphan", "variant": "off"}]), "orphan": orphan})


def test_each_flag_that_is_needed_is_looked_at_once_however_often_and_deep_it_is() -> None:
    def needing(other: str) -> FlagDocument:
        return flag(rules=[{"variant": "on"}], prerequisites=[{"flag": other, "variant": "on"}] * 10)

    flags = {"0": flag(rules=[{"variant": "on"}])} | {str(n): needing(str(n - 1)) for n in range(1, 1_200)}
    check_prerequisites("1199", flags)
    assert evaluate("1199", flags, {}, key="k", now=NOW).variant == "on"
    flags["0"] = flag()
    assert evaluate("1199", flags, {}, key="k", now=NOW).outcome is FlagReason.PREREQUISITE


@pytest.mark.parametrize("pattern", ["(a+)+", "(a|a)*", "(.*)*x"])
def test_no_pattern_takes_longer_than_its_text_is_long(pattern: str) -> None:
    document = flag(rules=[{"conditions": [{"attribute": "a", "operator": "matches", "value": pattern}], "variant": "on"}])
    assert variant(document, a="a" * 900 + "b") == "off"
    assert variant(document, a="a" * 5_000) == "off", "longer than any text that is matched"
    assert variant(document, a="\ud800") == "off"


@pytest.mark.parametrize("pattern", ["(", "a)|(b", r"(a)\1", "(?=a)a", "(?x) a # ", "x" * 501])
def test_a_pattern_that_cannot_be_searched_evenly_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="is not a valid regular expression"):
        flag(rules=[{"conditions": [{"attribute": "a", "operator": "matches", "value": pattern}], "variant": "on"}])


@given(st.text(max_size=20), st.floats(0, 100), st.floats(0, 100))
def test_a_caller_that_is_included_stays_so_while_a_percentage_grows(key: str, one: float, other: float) -> None:
    less, more = (
        variant(flag(rules=[{"variant": "on", "percentage": percentage}]), key) for percentage in sorted((one, other))
    )
    assert less == "off" or more == "on"


@pytest.mark.parametrize("percentage", [0, 10, 50, 90, 100])
def test_a_percentage_is_the_share_of_keys_that_is_in(percentage: float) -> None:
    document = flag(rules=[{"variant": "on", "percentage": percentage}])
    share = sum(variant(document, f"key {number}") == "on" for number in range(4_000)) / 40
    assert share == pytest.approx(percentage, abs=3)


def test_flags_split_independently() -> None:
    half = flag(rules=[{"variant": "on", "percentage": 50}])
    both = sum(
        all(evaluate(name, {name: half}, {}, key=str(key), now=NOW).variant == "on" for name in ("a", "b"))
        for key in range(4_000)
    )
    assert both / 4_000 == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    "parts",
    [
        {"default_variant": "maybe"},
        {"rules": [{"variant": "maybe"}]},
        {"variants": {"off": False, "on": "yes"}},
        {"rules": [{"variant": "on", "percentage": 101}]},
        {"rules": [{"variant": "on", "conditions": [{"attribute": "a", "operator": "in", "value": "x"}]}]},
        {"rules": [{"variant": "on", "conditions": [{"attribute": "a", "operator": "matches", "value": "("}]}]},
        {"nonsense": 1},
    ],
)
def test_a_document_that_makes_no_sense_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        flag(**parts)


def test_clients_of_open_feature_see_values_reasons_and_defaults() -> None:
    provider = FlagProvider(lambda: NOW)
    provider.flags = {
        "bool": flag(rules=[{"variant": "on"}]),
        "number": flag(variants={"off": 1, "on": 2}, rules=[{"variant": "on", "percentage": 99.999}]),
        "text": flag(variants={"off": "a", "on": "b"}, enabled=False),
        "object": flag(variants={"off": {"x": 1}}, default_variant="off"),
    }
    api.set_provider(provider, "test-flags")
    client = api.get_client("test-flags")
    context = EvaluationContext("me", {"tenant": "acme"})
    assert client.get_boolean_value("bool", False, context) is True
    assert client.get_integer_value("number", 0, context) == 2
    assert client.get_float_value("number", 0.0, context) == 2.0
    assert client.get_string_details("text", "", context).reason == Reason.DISABLED
    assert client.get_object_value("object", {}, context) == {"x": 1}
    assert client.get_boolean_value("text", True, context) is True, "of another type: the default"
    assert client.get_boolean_value("gone", True, context) is True
    assert provider.take_usage()["bool", "on"] == 1
    assert provider.take_usage() == {}
