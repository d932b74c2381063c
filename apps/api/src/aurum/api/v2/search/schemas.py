"""Documents of the search."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta, SeriesDocument
from aurum.services.catalog import Hit, Reading


class MatchDocument(BaseModel):
    """How well a series matches."""

    terms: int = Field(description="How many words and phrases of `q` it has.")
    by: Literal["name", "words", "beginnings"] = Field(
        description="`name`: it has all of them, and `q` holds the name, the id or an alias of its place. `words`: it has all "
        "of them as whole words. `beginnings`: it has them, or some of them, as words or beginnings of words."
    )


class HitDocument(SeriesDocument):
    """A series that was found."""

    match: MatchDocument

    @classmethod
    def of(cls, hit: Hit) -> HitDocument:
        match = MatchDocument.model_validate({"terms": hit.terms, "by": hit.by})
        # Without a second validation of each series of the page.
        return cls.model_construct(None, **dict(SeriesDocument.from_domain(hit.series)), match=match)


class ReadingDocument(BaseModel):
    """How a word or phrase of `q` was read."""

    text: str
    read_as: str = Field(description="What was searched for; empty for a word that nothing has.")
    how: Literal["word", "alias", "mended", "unknown"] = Field(
        description="`alias`: a phrase of the alias table. `mended`: taken as misspelt. `unknown`: left out."
    )

    @classmethod
    def of(cls, reading: Reading) -> ReadingDocument:
        return cls.model_validate({"text": reading.text, "read_as": reading.read_as, "how": reading.how})


class SearchMeta(PageMeta):
    """The page, and how the query was read."""

    terms: int = Field(description="Number of words and phrases that were searched for.")
    readings: list[ReadingDocument]
    mends_spelling: bool | None = Field(
        description="Whether misspelt words were mended; false where the database server has no trigrams (`pg_trgm`). Null "
        "when all words are known."
    )
    suggestions: list[str] = Field(description="When nothing was found: known words that are close to those of `q`.")
    total: int | None = Field(description="Number of series that `facets` count; null without `facets`.")


class SearchPage(BaseModel):
    """A page of series, the best match first."""

    data: list[HitDocument]
    facets: dict[str, dict[str, int]] | None = Field(
        description="For each requested facet the number of series by value, the greatest first, of the series that have all "
        "words; if there are none, of those that have the most. Null without `facets`."
    )
    meta: SearchMeta
