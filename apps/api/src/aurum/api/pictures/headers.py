"""Headers of pictures: a file name for those that are saved, and no rights for those that are opened in a browser."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LONGEST_NAME = 100


def picture_headers(path: str, form: str) -> Mapping[str, str]:
    """Return the headers of a picture. ``path``: of its request, which names the file. ``form``: ``svg`` or ``png``.

    An SVG is a document of its own when it is opened: it may use its styles, and neither scripts nor anything from elsewhere.
    """
    name = re.sub(r"[^A-Za-z0-9._]+", "-", path.removeprefix("/v2/")).strip("-.")[:_LONGEST_NAME]
    return {
        "Content-Disposition": f'inline; filename="{name}.{form}"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
    }
