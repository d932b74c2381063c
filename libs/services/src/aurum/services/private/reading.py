"""Shared and private series in one reading, so that one engine answers questions about both."""

from __future__ import annotations

from aurum.services.observations import Reading
from aurum.storage.ports.private import PrivateStore
from aurum.storage.private import TenantBases, TenantCatalog, TenantLoadedReaders, TenantPartialsReader, TenantSeriesReader


def tenant_reading(shared: Reading, private: PrivateStore) -> Reading:
    """Return the reading of a tenant: shared series and its own private ones. It serves one question."""
    catalog = TenantCatalog(shared.catalog, private.catalog)
    ids = catalog.ids
    return Reading(
        catalog=catalog,
        reader=TenantSeriesReader(shared.reader, private.reader, ids),
        partials=TenantPartialsReader(shared.partials, private.partials, ids) if shared.partials is not None else None,
        most_points=shared.most_points,
        loaded=TenantLoadedReaders(shared.loaded, private.loaded, ids) if shared.loaded is not None else None,
        files=TenantBases(shared.files, private.files, ids) if shared.files is not None else None,
    )
