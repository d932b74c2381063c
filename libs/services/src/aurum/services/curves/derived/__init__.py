"""Derived curves: products whose quotes are computed from those of other curves and stored like any other.

terms      the inputs of an expression, their units and weights    changes    curves added, deleted and asked to be built again
build      one build: read, evaluate, store what changed           rows       the quotes that a build has to store
refresh    builds that curves wait for, submitted again
"""

from aurum.services.curves.derived.build import build_derived
from aurum.services.curves.derived.changes import NewDerived, add_derived, ask_rebuild, remove_derived
from aurum.services.curves.derived.refresh import Refreshed, refresh_derived
from aurum.services.curves.derived.terms import StaleInput, stale_inputs

__all__ = [
    "NewDerived",
    "Refreshed",
    "StaleInput",
    "add_derived",
    "ask_rebuild",
    "build_derived",
    "refresh_derived",
    "remove_derived",
    "stale_inputs",
]
