"""Stored terms of readers of files: mapped words and units, and labels of brokers with further spellings."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.broker_labels import Curve, Unmapped, folded, schemes, with_spellings
from aurum.core.curves.period_labels import InvalidPeriod
from aurum.core.curves.periods import parse_period
from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms, Spelling
from aurum.core.errors import UnknownName

EUROPE = schemes()["europe"]
TERMS = ReadingTerms(
    spellings=(
        Spelling(MappingKind.PERIOD, "*", "kal", "Cal"),
        Spelling(MappingKind.PERIOD, "*", "rest des monats", "BOM"),
        Spelling(MappingKind.UNIT, "*", "eur per mw hour", "EUR/MWh"),
    )
)
LABELS = (
    Spelling(MappingKind.AREA, "europe", "grossbritannien", "GB"),
    Spelling(MappingKind.PRODUCT, "europe", "strom", "power"),
    Spelling(MappingKind.BLOCK, "europe", "grundlast", "base"),
    Spelling(MappingKind.LOCATION, "europe", "nbp hub", "NBP"),
)


@pytest.mark.parametrize(("label", "meaning"), [("Kal 26", "Cal-26"), ("KAL-2026", "Cal-26"), ("kal26", "2026")])
def test_a_mapped_word_names_the_period_of_its_target(label: str, meaning: str) -> None:
    assert TERMS.period(label) == parse_period(meaning, seasons=None)


def test_a_mapped_phrase_counts_from_the_trade_date() -> None:
    day = date(2025, 1, 15)
    assert TERMS.period("Rest des  Monats", trade_date=day) == parse_period("BOM", seasons=None, trade_date=day)


@pytest.mark.parametrize("label", ["Kalender 26", "Lokal 26", "Kal", "26"])
def test_a_word_is_mapped_as_a_whole_and_the_error_names_the_label_of_the_file(label: str) -> None:
    with pytest.raises(InvalidPeriod) as refused:
        TERMS.period(label)
    assert refused.value.facts["period"] == label


@given(st.sampled_from(["Jan-25", "Q1-25", "2025", "W03-25", "2025-01-15", "Cal-26"]))
def test_a_label_that_can_be_read_keeps_its_meaning_whatever_is_mapped(label: str) -> None:
    words = [Spelling(MappingKind.PERIOD, "*", word, "BOM") for word in ("jan", "q", "sum", "w", "cal")]
    assert ReadingTerms(spellings=tuple(words)).period(label) == parse_period(label, seasons=None)


def test_a_mapped_unit_is_read_and_another_is_not() -> None:
    assert TERMS.unit("EUR per  MW Hour").text == "EUR/MWh"
    assert TERMS.unit("USD/MWh").text == "USD/MWh"
    with pytest.raises(UnknownName, match="unit"):
        SHIPPED_TERMS.unit("EUR per MW hour")


def test_labels_of_a_broker_are_read_with_further_spellings() -> None:
    labels = {"region": "Grossbritannien", "location": "Grossbritannien", "product": "Strom", "block": "Grundlast"}
    before, after = EUROPE.curve_of(labels, "RP"), with_spellings(EUROPE, LABELS).curve_of(labels, "RP")
    assert isinstance(before, Unmapped)
    assert isinstance(after, Curve)
    assert str(after.key) == "power:GB:base:RP"


def test_a_location_of_two_markets_is_mapped_for_both() -> None:
    spellings = (Spelling(MappingKind.LOCATION, "us", "western", "PJM.WESTERN_HUB"),)
    scheme = with_spellings(schemes()["us"], spellings)
    areas = []
    for market in ("DA", "RT"):
        curve = scheme.curve_of({"iso": "PJM", "location": "Western", "market": market, "block": "5x16"}, "PW")
        assert isinstance(curve, Curve)
        areas.append(curve.key.area)
    assert areas == ["PJM.WESTERN_HUB.DA", "PJM.WESTERN_HUB"]


@given(st.sampled_from(sorted(EUROPE.words["region"])), st.sampled_from(["FR", "XX"]))
def test_a_spelling_of_the_release_keeps_its_meaning(spelling: str, target: str) -> None:
    scheme = with_spellings(EUROPE, (Spelling(MappingKind.AREA, "europe", folded(spelling), target),))
    assert scheme.words["region"][folded(spelling)] == EUROPE.words["region"][folded(spelling)]
