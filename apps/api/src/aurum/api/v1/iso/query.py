"""Filters of prices, and the publications that match them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from aurum.api.contract.text import Text
from aurum.api.v1.problems import BadRequest
from aurum.api.v1.publications import DAY_AHEAD, PUBLICATIONS, REAL_TIME, Publication
from aurum.core.names import nearest
from aurum.storage.ports.catalog import SeriesFilter

_ISOS = tuple(dict.fromkeys(one.iso_code for one in PUBLICATIONS))
_MARKETS = tuple(dict.fromkeys(one.market for one in PUBLICATIONS if one.market))
_SPELLINGS = {
    "DA": DAY_AHEAD,
    "DAM": DAY_AHEAD,
    "DAY-AHEAD": DAY_AHEAD,
    "DAYAHEAD": DAY_AHEAD,
    "RT": REAL_TIME,
    "RTM": REAL_TIME,
    "REAL-TIME": REAL_TIME,
    "REALTIME": REAL_TIME,
}


class LmpQuery(BaseModel):
    """The filters that select prices by operator, market and location; every filter that is set must match."""

    model_config = ConfigDict(frozen=True)

    iso_code: Annotated[
        Text | None, Query(description=f"One of {', '.join(_ISOS)}, in upper or lower case.", examples=["NYISO"])
    ] = None
    market: Annotated[
        Text | None, Query(description=f"One of {', '.join(_MARKETS)}, in upper or lower case.", examples=["DAY_AHEAD"])
    ] = None
    location_id: Annotated[Text | None, Query(description="The operator's own id of a location.", examples=["61761"])] = None

    def criteria(self) -> Sequence[SeriesFilter]:
        """Return the series of whole prices that match, publication by publication. Raises ``BadRequest``."""
        iso, market = _iso(self.iso_code), _market(self.market)
        return [
            SeriesFilter(one.source, one.dataset, None, one.measure, self.location_id)
            for one in PUBLICATIONS
            if iso in (None, one.iso_code) and market in (None, one.market)
        ]


def publication_of(source: str, dataset: str) -> Publication:
    """Return the publication that is stored as a dataset."""
    return next(one for one in PUBLICATIONS if (one.source, one.dataset) == (source, dataset))


def _iso(text: str | None) -> str | None:
    code = text.upper() if text else None
    if code is not None and code not in _ISOS:
        raise BadRequest("iso_code", f"unknown ISO; nearest: {', '.join(nearest(code, _ISOS) or _ISOS)}", text)
    return code


def _market(text: str | None) -> str | None:
    if not text:
        return None
    name = _SPELLINGS.get(text.upper(), text.upper())
    if name not in _MARKETS:
        raise BadRequest("market", f"unknown market; accepted: {', '.join(_MARKETS)}", text)
    return name
