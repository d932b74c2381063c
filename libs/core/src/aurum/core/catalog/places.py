"""Names of hubs, zones and regions whose files print only an id (``places.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from aurum.core.catalog.entries import PlaceName


@cache
def place_names() -> Sequence[PlaceName]:
    """Return the names of all places in the table, in its order."""
    text = files("aurum.core.catalog").joinpath("places.toml").read_text("utf-8")
    return [
        PlaceName(group["source"], location, name, group["type"])
        for group in tomllib.loads(text)["group"]
        for location, name in group["places"]
    ]
