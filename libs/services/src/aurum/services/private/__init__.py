"""Private series: a tenant declares them, stores points in them and reads them; no other tenant can see that they exist.

declaration   what a declaration may say, and the key of a series
points        rows as callers write them, checked and turned into points
storing       declaring, removing and storing points
reading       shared and private series in one reading of the query engine
"""

from aurum.services.private.declaration import NAME, private_key, private_spec
from aurum.services.private.points import ROWS, BadRows, csv_rows
from aurum.services.private.reading import tenant_reading
from aurum.services.private.storing import (
    Declaration,
    DeclarationDiffers,
    NotDeclared,
    StoredPoints,
    TooManyPrivateSeries,
    declare_series,
    private_series,
    remove_private_series,
    store_points,
)

__all__ = [
    "NAME",
    "ROWS",
    "BadRows",
    "Declaration",
    "DeclarationDiffers",
    "NotDeclared",
    "StoredPoints",
    "TooManyPrivateSeries",
    "csv_rows",
    "declare_series",
    "private_key",
    "private_series",
    "private_spec",
    "remove_private_series",
    "store_points",
    "tenant_reading",
]
