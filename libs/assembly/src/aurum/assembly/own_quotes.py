"""Loads of quotes of a tenant's own products at a venue of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from aurum.assembly.store import Store
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.catalog.validations import ValidationResult
from aurum.services.curves.own_venue import add_own_products, key_at
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import CurveQuotes, UnknownProduct
from aurum.storage.ports.files import FileLoad, FileRecord, LoadOutcome

_BY = Actor("operator")


class OwnVenueLoader:
    """``Loader`` that stores quotes of shared products as those of a tenant's own products at another venue.

    A product that the tenant does not have yet is added with the terms of the shared one.
    """

    def __init__(self, store: Store, tenant: str, venue: str) -> None:
        self._store = store
        self._tenant = tenant
        self._venue = venue

    async def load(self, file: FileLoad, *, force: bool = False) -> LoadOutcome:
        parts = [await self._own(part) if isinstance(part, CurveQuotes) else part for part in file.parts]
        try:
            return await self._store.files.loader.load(replace(file, parts=parts), force=force)
        except UnknownProduct as error:
            raise self._named_by_venue(error, file) from error

    async def already_loaded(
        self, digest: str, *, basis: KnownAtBasis | None = None, known_at: datetime | None = None, again: bool = False
    ) -> LoadOutcome | None:
        return await self._store.files.loader.already_loaded(digest, basis=basis, known_at=known_at, again=again)

    async def refuse(self, file: FileRecord, *, reason: str, validations: Sequence[ValidationResult] = ()) -> int:
        return await self._store.files.loader.refuse(file, reason=reason, validations=validations)

    def _named_by_venue(self, error: UnknownProduct, file: FileLoad) -> UnknownProduct:
        """Return the error about a key that the file does not have: the venue gave it, and the error names that of the file."""
        made = str(error.facts["key"])
        keys = (key for part in file.parts if isinstance(part, CurveQuotes) for key in part.curves["key"])
        quoted = next(key for key in keys if key_at(key, self._venue) == made)
        if quoted == made:
            return error
        return UnknownProduct(
            f"--venue {self._venue} makes {made} of {quoted} in the file: {made} is not a product of {self._tenant}, and "
            f"{quoted} is not a shared product whose terms it could get; without --venue the quotes are loaded into {quoted}",
            **error.facts,
        )

    async def _own(self, part: CurveQuotes) -> CurveQuotes:
        keys: list[str] = part.curves["key"].to_list()
        await add_own_products(
            self._store.transactions, self._store.curves, keys, venue=self._venue, tenant=self._tenant, by=_BY
        )
        return replace(part, curves=part.curves.with_columns(key=pl.Series([key_at(key, self._venue) for key in keys])))
