"""The service, with patience for its store: ``python patient_api.py serve`` instead of ``python -m aurum.api serve``.

A service takes a store that is silent for a second as gone, and refuses requests; on a machine that does other work every
store is silent for a while. ``be_patient`` does the same for services in the process of the tests.
"""

from __future__ import annotations

import sys

from aurum.api.__main__ import main
from aurum.api.cache.layer import ResponseCache
from aurum.api.handlers import health_checks
from aurum.api.pictures.drawer import Drawer
from aurum.storage.testing.patience import let_the_store_take_long

_LONG_S = 120.0


def be_patient() -> None:
    """Let all wait long that has a limit of its own: the change feed, checks of health, the cache, the drawing of pictures."""
    let_the_store_take_long()
    health_checks.PATIENCE_S = health_checks._BEHIND_S = _LONG_S
    for part, limit in ((ResponseCache, "patience_s"), (Drawer, "deadline_s")):
        defaults = part.__init__.__kwdefaults__
        assert limit in defaults
        defaults[limit] = _LONG_S


if __name__ == "__main__":
    be_patient()
    sys.exit(main())
