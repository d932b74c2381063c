"""``/v2/search``: search of series by words, with filters and facets."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.filters import (
    DatasetFilter,
    FuelFilter,
    KindFilter,
    LocationTypeFilter,
    MarketFilter,
    MarketRunFilter,
    MeasureFilter,
    SourceFilter,
    fuel_of,
    kind_of,
    market_run_of,
)
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.paging import Cursor, Limit, requested_page, sealed_meta
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.search.schemas import HitDocument, ReadingDocument, SearchPage
from aurum.core.access import Permission
from aurum.core.search.groups import FACETS
from aurum.services.catalog import Place, SearchQuestion, search_series
from aurum.storage.ports.search import Position

router = FeatureRouter(
    reads=Policy(
        Permission.SERIES_READ,
        is_shared=True,
        cached=CacheRule(DataClass.DAY, ("any series", "catalog")),
    ),
    prefix="/v2/search",
    tags=["series"],
    dependencies=[Depends(known_only)],
)

_EVERY = "true"
_WIDTH = 4
"""Parts of a cursor: terms, by, rank, key."""


@router.get("", operation_id="searchSeries", summary="Search series", response_model=SearchPage, responses=problems())
async def search(
    request: Request,
    response: Response,
    q: Annotated[
        Text,
        Query(
            description="Words to search for, up to ten: names of places, markets, measures, fuels, datasets, or beginnings of "
            "them. Case, accents and punctuation do not matter.",
            examples=["new york city day ahead"],
        ),
    ],
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    market: MarketFilter = None,
    measure: MeasureFilter = None,
    kind: KindFilter = None,
    fuel: FuelFilter = None,
    market_run: MarketRunFilter = None,
    location_type: LocationTypeFilter = None,
    facets: Annotated[
        Text | None,
        Query(
            description="Count the series by these attributes, separated by commas: "
            + ", ".join(f"`{name}`" for name in FACETS)
            + "; `true` for all. Default: none.",
            examples=["market,measure"],
        ),
    ] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> SearchPage:
    """List the series that match `q`, the best first.

    Series that have all words come before those that have some; among them those whose place has the name, the id or an alias
    in `q`, then those with whole words, then those with beginnings of words; then price totals before their components, main
    datasets before other exports, then by key. A word that nothing has is replaced by the nearest known one.
    """
    page = requested_page(request, cursor=cursor, limit=limit, width=_WIDTH)
    filters = {
        "source": source,
        "dataset": dataset,
        "market": market.upper() if market else None,
        "measure": measure,
        "kind": kind_of(kind),
        "fuel": fuel_of(fuel),
        "market_run": market_run_of(market_run),
        "location_type": location_type,
    }
    catalog = services(request).store.catalog
    answer = await search_series(
        catalog.reader,
        catalog.search,
        SearchQuestion(q, {name: value for name, value in filters.items() if value is not None}, _facets(facets)),
        after=_place(page.after),
        limit=page.limit,
    )
    after = answer.after
    position = (str(after.terms), after.by, str(after.position.rank), after.position.key) if after is not None else None
    meta = sealed_meta(request, response, page, len(answer.hits), position) | {
        "terms": answer.terms,
        "readings": [ReadingDocument.of(reading) for reading in answer.readings],
        "mends_spelling": answer.mends,
        "suggestions": list(answer.suggestions),
        "total": answer.total,
    }
    return SearchPage.model_validate(
        {"data": [HitDocument.of(hit) for hit in answer.hits], "facets": answer.facets, "meta": meta}
    )


def _facets(text: str | None) -> tuple[str, ...]:
    """Return the facets that a parameter names. Raises ``InvalidParameters``."""
    if text is None:
        return ()
    names = FACETS if text == _EVERY else tuple(dict.fromkeys(text.split(",")))
    if unknown := next((name for name in names if name not in FACETS), None):
        raise InvalidParameters(("facets", f"has {unknown!r}: name any of {', '.join(FACETS)}, or `true` for all", text))
    return names


def _place(after: list[str] | None) -> Place | None:
    if after is None:
        return None
    terms, by, rank, key = after
    return Place(int(terms), by, Position(int(rank), key))
