"""Every port in dictionaries: a complete adapter that passes the contract suite, for tests of the code above the ports."""

from aurum.storage.memory.history import MemoryHistory
from aurum.storage.memory.store import MemoryStore

__all__ = ["MemoryHistory", "MemoryStore"]
