"""Protocols of the store: the operations that the rest of Aurum may use, one module for each feature.

Adapters do not inherit from these; ``tests/typing/conformance.py`` proves that they fit.
"""
