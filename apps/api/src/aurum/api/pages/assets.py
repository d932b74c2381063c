"""The files that pages load: style sheets, scripts and icons, all served from here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import fastapi_offline

OWN_ASSETS = Path(__file__).parent / "assets"
_RENDERER = Path(fastapi_offline.__file__).parent / "static"

ASSETS: Mapping[str, Path] = {
    **{name: OWN_ASSETS / name for name in ("portal.css", "portal.js", "reference.js", "aurum.svg")},
    **{name: _RENDERER / name for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")},
}
"""Files by the name under ``/docs/assets/``."""
