"""Declarations of the prices of a dataset that add up, by which columns that have changed places are noticed.

A nodal price is a total of components: ``lmp = energy + congestion + loss``, at CAISO also ``+ ghg``. The energy component is
the price at the reference of the system, so it is one number at all locations of an interval. NYISO publishes congestion with
the opposite sign; its reader turns the sign, so that the sum holds in one convention.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PriceSum:
    """A total and its components, as names of measures: ``total`` is ``energy`` plus all ``others``.

    ``tolerance``: greatest difference between the total and the sum, and between the energy prices of two locations, in the
    unit of the prices. ``optional``: components that a file may lack, counted as zero. ``derived``: the publisher prints no
    energy price and the reader computes it from the others, so the sum always holds, and only the other rules of
    ``quality.price_sums`` can find exchanged columns.
    """

    tolerance: float
    total: str = "lmp"
    energy: str = "energy"
    others: tuple[str, ...] = ("congestion", "loss")
    optional: tuple[str, ...] = ()
    derived: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The components that are not optional."""
        return (self.energy, *self.others)

    @property
    def measures(self) -> tuple[str, ...]:
        """The total and all components."""
        return (self.total, *self.parts, *self.optional)
