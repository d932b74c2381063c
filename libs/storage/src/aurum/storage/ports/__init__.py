"""What the rest of Aurum may ask of a store, a module a feature.

Adapters do not inherit from these; ``tests/typing/conformance.py`` proves that they fit.
"""
