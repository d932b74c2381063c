"""The product of a build with the terms by which its quotes are read."""

from __future__ import annotations

from dataclasses import dataclass

from aurum.core.calendars import Block
from aurum.core.curves.calendars import DeliveryCalendar
from aurum.core.curves.products import Weighting
from aurum.core.curves.seasons import SeasonFamily
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Reference, read_reference
from aurum.services.curves.selection import curve_of
from aurum.storage.ports.curves import StoredProduct

_SEASONS = "europe"
_TICK = 0.01


@dataclass(frozen=True, slots=True)
class BuildTerms:
    """The terms of one curve of a build.

    ``stored``: None for quotes that belong to no product. ``block``: None: all hours. ``seasons``: None: labels of seasons are
    unknown. ``tick``: smallest step of a price.
    """

    reference: Reference
    stored: StoredProduct | None
    calendar: DeliveryCalendar
    block: Block | None
    seasons: SeasonFamily | None
    weighting: Weighting = Weighting.HOURS
    tick: float = _TICK
    unit: str | None = None
    currency: str | None = None

    @property
    def key(self) -> str | None:
        """The key of the product as text."""
        return None if self.stored is None else str(self.stored.product.key)

    @property
    def name(self) -> str:
        """The name of the block, ``BASE`` for all hours."""
        return "BASE" if self.block is None else self.block.name

    def block_named(self, name: str, field: str) -> Block:
        """Return a block of the calendar. Raises ``InvalidParameters``, which names the field."""
        try:
            block = self.reference.block(self.calendar, name)
        except UnknownName as error:
            raise InvalidParameters((field, error.detail, name), nearest=list(error.nearest)) from error
        assert block is not None
        return block


async def terms_of(reading: CurveReading, key: str, *, field: str | None = None) -> BuildTerms:
    """Return the terms of a product that the caller may read. ``field``: as of ``curve_of``.

    Raises ``UnknownName`` with the nearest keys.
    """
    stored = await curve_of(reading, key, field=field)
    reference = await read_reference(reading, [stored.product], shared_only=stored.tenant is None)
    product, terms = stored.product, reference.terms_of(stored.product)
    return BuildTerms(
        reference,
        stored,
        terms.calendar,
        terms.block,
        terms.seasons,
        product.weighting,
        product.tick,
        product.unit,
        product.currency,
    )


async def terms_of_calendar(reading: CurveReading, name: str) -> BuildTerms:
    """Return the terms of quotes that belong to no product: prices of all hours, seasons of Europe.

    Raises ``InvalidParameters`` for an unknown calendar.
    """
    reference = await read_reference(reading)
    try:
        calendar = reference.calendar(name)
    except UnknownName as error:
        raise InvalidParameters(("calendar", error.detail, name), nearest=list(error.nearest)) from error
    return BuildTerms(reference, None, calendar, None, reference.seasons.get(_SEASONS))
