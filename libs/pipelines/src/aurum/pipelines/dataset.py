"""Datasets: what a source publishes, with its measures, ids, times and dimensions, as declarations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from aurum.core.calendars import BusinessDays
from aurum.core.catalog.dimensions import Fuel, Kind, MarketRun
from aurum.core.catalog.fuels import UNMAPPED, FuelWord, folded, fuel_word
from aurum.core.curves.final_settlement import FinalSettlement
from aurum.core.frequency import Frequency
from aurum.core.publication import PublicationRule
from aurum.pipelines.price_sums import PriceSum


@dataclass(frozen=True, slots=True)
class Measure:
    """One quantity of a dataset. ``column``: the header of its column in the file, for quarantine reports.

    ``is_detail``: it details another measure of the dataset, as the highest of a day's prices does; components of a price are
    details without it. ``kind``, ``market_run``: None for those of the dataset. ``fuel``: the operator's word for its fuel, by
    which ``fuels.toml`` knows it; empty for none.
    """

    name: str
    unit: str
    column: str = ""
    currency: str | None = None
    title: str = ""
    kind: Kind | None = None
    market_run: MarketRun | None = None
    fuel: str = ""
    is_detail: bool = False


class IdRule(StrEnum):
    """How the ids of a dataset's locations are read. ``pipelines.reading.ids`` implements them."""

    TEXT = "text"
    NUMBER = "number"
    """A whole number, without leading zeros."""
    FIPS = "fips"
    """A code of two digits (state) or five (county), with its leading zero."""
    HUC = "huc"
    """A code of an even number of digits, with its leading zero."""


@dataclass(frozen=True, slots=True)
class Plausible:
    """The instants that a dataset can have observations of: from ``since`` to ``ahead`` after now."""

    since: date = date(1990, 1, 1)
    ahead: timedelta = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The dimensions of a series, as ``SeriesSpec`` has them. ``word``: the operator's own word for the fuel, or empty."""

    kind: Kind
    market_run: MarketRun | None
    fuel: Fuel | None = None
    fuel_detail: str | None = None
    word: str = ""


@dataclass(frozen=True, slots=True)
class QuoteTerms:
    """The terms of the quotes of a dataset, beside its rules, which are counted from the trade date.

    ``sessions``: name of the session calendar of the venue; None: unknown. ``final``: when the final settlement of a period can
    be known at the earliest; None: by the rules, as any other settlement.
    """

    sessions: str | None = None
    final: FinalSettlement | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """One kind of publication of one source. Series keys are ``source:name:location:measure``.

    ``zone``: IANA time zone of its days. ``market``: code in ``core.markettime``; None for a dataset that belongs to no market.
    ``frequency`` and ``measures`` hold for every series unless the parsed file says otherwise. ``kind``: that of its measures,
    except of those that state another. ``market_run``: likewise; None where none applies.
    """

    source: str
    name: str
    title: str
    zone: str
    frequency: Frequency
    measures: tuple[Measure, ...]
    market: str | None = None
    reference: str = ""
    """Title or address of the operator's document that describes the format."""
    freshness_hours: float | None = None
    """Age in hours of the newest observation above which the dataset is stale; None: it never is."""
    ids: IdRule = IdRule.TEXT
    plausible: Plausible = Plausible()
    business_days: BusinessDays | None = None
    """The calendar of the days on which a daily dataset is published; None: every day. A parser may state that of a series."""
    price_sums: tuple[PriceSum, ...] = ()
    """The totals among the measures that are sums of others; empty for a dataset without components."""
    rules: tuple[PublicationRule, ...] = ()
    """When it is usually published; the first rule that holds for a series counts. Empty: as a whole, at no usual time."""
    is_forecast: bool = False
    """Whether its values are forecasts, which are read by issue and by lead."""
    kind: Kind = Kind.OTHER
    market_run: MarketRun | None = None
    search_order: int = 0
    """0 for a main dataset of its source; higher for other exports and for copies, which a search lists later."""
    quotes: QuoteTerms | None = None
    """Set for a dataset of forward quotes, which has products in place of series, and no measures; None for one of series."""
    fuels: Mapping[str, FuelWord] = field(default_factory=dict[str, FuelWord], hash=False)
    """Its source's words for fuels, from ``core.catalog.fuels.fuel_words``; empty: those of the source in ``fuels.toml``."""

    @property
    def details(self) -> tuple[str, ...]:
        """The measures that detail another one: components of prices, and those that are declared as details."""
        parts = {part for total in self.price_sums for part in (*total.parts, *total.optional)}
        return tuple(measure.name for measure in self.measures if measure.is_detail or measure.name in parts)

    def dimensions(self, name: str, word: str | None = None) -> Dimensions:
        """Return the dimensions of the series of a measure, declared or not. ``word``: for its fuel; None for the declared."""
        measure = next((measure for measure in self.measures if measure.name == name), None)
        kind, run = self.kind, self.market_run
        if measure is not None:
            word = measure.fuel if word is None else word
            kind, run = measure.kind or kind, measure.market_run or run
        if not word:
            return Dimensions(kind, run)
        meaning = self.fuels.get(folded(word), UNMAPPED) if self.fuels else fuel_word(self.source, word)
        has_own_kind = measure is not None and measure.kind is not None
        return Dimensions(
            kind if has_own_kind or meaning.kind is None else meaning.kind,
            run,
            meaning.fuel,
            meaning.detail,
            word,
        )

    def measure(self, name: str) -> Measure:
        """Return the declared measure of that name. Raises KeyError, which is a bug of the parser."""
        return {measure.name: measure for measure in self.measures}[name]
