"""Cycles of derived curves: a curve that would be derived from itself, through others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aurum.storage.ports.derived_curves import CurveCycle, DerivedInput, NewDerivedCurve


async def refuse_cycle(
    curve: NewDerivedCurve, inputs_of: Callable[[Sequence[int]], Awaitable[Sequence[tuple[int, DerivedInput]]]]
) -> None:
    """Raise ``CurveCycle`` if a curve to be added is reached from its inputs.

    ``inputs_of``: returns the inputs of those of some curves that are derived, each with the id of the curve that reads it.
    """
    paths = {one.curve_id: (curve.key, one.key) for one in curve.inputs}
    frontier = list(paths)
    while frontier:
        if curve.curve_id in paths:
            raise CurveCycle(paths[curve.curve_id])
        further = {
            one.curve_id: (*paths[reader], one.key) for reader, one in await inputs_of(frontier) if one.curve_id not in paths
        }
        paths |= further
        frontier = list(further)
