"""Every port in dictionaries: a real adapter that passes the contract suite, for tests of what stands on the ports."""

from aurum.storage.memory.history import MemoryHistory
from aurum.storage.memory.store import MemoryStore

__all__ = ["MemoryHistory", "MemoryStore"]
