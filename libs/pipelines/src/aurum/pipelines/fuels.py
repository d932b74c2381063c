"""Measures of generation by fuel: the declared one for a word that is known, a new one for a word that is not.

An unknown word is stored like any other, as a series with the fuel ``unmapped``; ``aurum sources unmapped`` lists them. Once an
administrator has mapped the word, the next file gives the series its fuel; a word that a table has keeps its meaning.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.catalog.dimensions import FUEL_LABEL, Fuel
from aurum.core.catalog.fuels import folded, fuel_words, slug
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.reading_terms import Spelling
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import Dataset

_LONGEST = 60
"""Characters of the longest text that counts as a word. The longest known one has 34."""


def is_word(text: str) -> bool:
    """Return whether a text can be a word for a fuel: short, with a letter, and without characters that cannot be seen."""
    return len(text) <= _LONGEST and any(map(str.isalpha, text)) and not any(map(_is_invisible, text))


def _is_invisible(character: str) -> bool:
    """Return whether a character is a control or a format character: NUL, a zero-width blank, a change of direction."""
    return unicodedata.category(character).startswith("C")


def only_words(table: pl.DataFrame, column: str, refusals: Refusals) -> pl.DataFrame:
    """Return the rows with a word for a fuel (``is_word``); the others, such as numbers of a shifted row, are held back."""
    words = [word for word in table[column].unique().drop_nulls() if is_word(word)]
    return refusals.rows(
        table,
        ~pl.col(column).is_in(words).fill_null(False),
        column=column,
        reason=Reason.UNKNOWN_CODE,
        detail=pl.col(column).str.slice(0, _LONGEST),
    )


def fuel_measures(dataset: Dataset, words: Iterable[str], *, prefix: str = "generation_") -> dict[str, str]:
    """Return the measure of each word for a fuel: the declared one of that word, or a new one that is named after it.

    Words that differ only in spelling have the same measure. ``prefix``: beginning of the measures.
    """
    of_fuels = [measure for measure in dataset.measures if measure.fuel]
    # A word for something else may have a measure with another beginning (imports), and a fuel several (reserve_gas).
    ordered = sorted(of_fuels, key=lambda measure: measure.name.startswith(prefix))
    known = {folded(measure.fuel): measure.name for measure in ordered}
    declared = {measure.name for measure in dataset.measures}
    measures: dict[str, str] = {}
    for word in words:
        name = f"{prefix}{slug(word)}"
        # Another word may have the name of a declared measure: "HYDRO" is none of EIA's codes, and generation_hydro is of WAT.
        fresh = name if name not in declared else f"{prefix}word_{slug(word)}"
        measures[word] = known.get(folded(word), fresh)
    return measures


def words_of(measures: dict[str, str]) -> dict[str, str]:
    """Return a word by measure, from ``fuel_measures``; of several spellings the first in the order of the alphabet."""
    return {measures[word]: word for word in sorted(measures, reverse=True)}


def with_mapped_fuels(series: pl.DataFrame, source: str, spellings: Iterable[Spelling]) -> pl.DataFrame:
    """Return the series of a file with the fuels that administrators mapped, where the word is in no table.

    ``series``: columns ``fuel``, ``fuel_detail`` and ``labels``, which hold the word.
    """
    mapped = {one.folded: one.target for one in spellings if (one.kind, one.scope) == (MappingKind.FUEL, source)}
    if not mapped:
        return series
    meanings = fuel_words(mapped)
    is_unmapped = (series["fuel"] == str(Fuel.UNMAPPED)).fill_null(False)
    words = series["labels"].str.json_path_match(f"$.{FUEL_LABEL}")
    known = {
        word: meanings[folded(word)] for word in words.filter(is_unmapped).unique().drop_nulls() if folded(word) in meanings
    }
    fuels = {word: str(meaning.fuel) for word, meaning in known.items()}
    details = {word: meaning.detail for word, meaning in known.items()}
    is_mapped = is_unmapped & words.is_in(list(known))
    return series.with_columns(
        pl.when(is_mapped)
        .then(words.replace_strict(list(new), list(new.values()), default=None, return_dtype=pl.String))
        .otherwise(pl.col(column))
        .alias(column)
        for column, new in (("fuel", fuels), ("fuel_detail", details))
    )
