"""The kinds of mappings: what administrators say of words that the release does not know."""

from __future__ import annotations

from enum import StrEnum

ANY_SCOPE = "*"
"""The scope of a mapping that holds everywhere."""


class MappingKind(StrEnum):
    """Kind of word that a mapping maps. The scope says where its spelling occurs.

    ``product``, ``area``, ``location``, ``block``: a label of brokers' workbooks; scope: the scheme of their labels, such as
    ``europe``. ``period``: a word of labels of delivery periods. ``unit``: a spelling of a unit. ``quoted_unit``: the unit in
    which a broker states the prices of a commodity and area; scope: the broker. ``fuel``: an operator's word for a fuel;
    ``place``: the id of a location in its files, whose target is a name; scope of both: the source.
    """

    PRODUCT = "product"
    AREA = "area"
    LOCATION = "location"
    BLOCK = "block"
    PERIOD = "period"
    UNIT = "unit"
    QUOTED_UNIT = "quoted_unit"
    FUEL = "fuel"
    PLACE = "place"
