"""The ports that questions about curves are answered with."""

from __future__ import annotations

from dataclasses import dataclass

from aurum.services.observations import Reading
from aurum.storage.ports.curves import CurveReader
from aurum.storage.ports.recordings import LoadedReaders


@dataclass(frozen=True, slots=True)
class CurveReading:
    """The readers of one caller.

    ``curves``: products, their quotes and their reference data. ``observations``: exchange rates and spot prices. ``tenant``:
    the tenant of the caller, whose own products are read beside the shared ones; None: shared products only. ``own``: readers
    of the store of that tenant as it stood; None: receipts of its own products name no instant.
    """

    curves: CurveReader
    observations: Reading
    tenant: str | None
    own: LoadedReaders | None = None
