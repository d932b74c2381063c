"""The first tier of the cache: entries in this process, bounded in number and in bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, Literal, Protocol, TypeVar

from cachetools import LFUCache
from moka_py import Moka

from aurum.common.cache.entry import CacheEntry
from aurum.common.settings.cache import Policy

T = TypeVar("T")


class _Entries(Protocol[T]):
    """Entries by key within a total weight, with one eviction policy. ``settle``: evicts entries above that weight."""

    def get(self, key: Hashable, /) -> CacheEntry[T] | None: ...
    def set(self, key: Hashable, value: CacheEntry[T], /) -> None: ...
    def remove(self, key: Hashable, /) -> None: ...
    def clear(self) -> None: ...
    def settle(self) -> None: ...


class LocalCache(Generic[T]):
    """Entries by key and by tag. Not thread-safe.

    ``policy``: which entry is evicted when the cache is full: ``tiny_lfu`` (W-TinyLFU: a new entry must be requested more often
    than the one it would replace, so that a scan over all keys does not evict the entries in use), ``lru`` or ``lfu``.
    """

    def __init__(self, *, policy: Policy, most_entries: int, most_bytes: int) -> None:
        # The policies have one bound, the weight. An entry weighs at least this much, so that it bounds their number, too.
        self._least = max(1, most_bytes // most_entries)
        self._by_tag: dict[str, dict[Hashable, CacheEntry[T]]] = {}
        self._weight = 0
        self._count = 0
        self._entries: _Entries[T] = _Lfu(self, most_bytes) if policy == "lfu" else _Moka(self, most_bytes, policy)
        # The method of the policy itself: a call less on the fast path.
        self.get = self._entries.get
        """Returns the entry of a key, fresh or not; None when it has none."""

    def __len__(self) -> int:
        return self._count

    @property
    def weight(self) -> int:
        """The total size of the entries, in bytes."""
        return self._weight

    def put(self, key: Hashable, entry: CacheEntry[T]) -> None:
        """Store an entry, in place of one under the same key."""
        self._entries.remove(key)
        self._count += 1
        self._weight += entry.weight
        for tag in entry.tags:
            self._by_tag.setdefault(tag, {})[key] = entry
        self._entries.set(key, entry)
        self._entries.settle()

    def remove(self, key: Hashable) -> None:
        """Remove the entry of a key, if it has one."""
        self._entries.remove(key)

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()
        self._by_tag.clear()
        self._weight = self._count = 0

    def tagged(self, tags: Iterable[str]) -> list[CacheEntry[T]]:
        """Return the entries that have one of the tags; one with several of them comes several times."""
        return [entry for tag in tags for entry in self._by_tag.get(tag, {}).values()]

    def everything(self) -> list[CacheEntry[T]]:
        """Return the entries that have a tag; one with several tags comes several times."""
        return [entry for entries in self._by_tag.values() for entry in entries.values()]

    def weigh(self, entry: CacheEntry[T]) -> int:
        """Return how much an entry counts against the bound of bytes."""
        return max(self._least, entry.weight)

    def on_removed(self, key: Hashable, entry: CacheEntry[T]) -> None:
        """Update counts and tags after an entry was evicted, removed or replaced."""
        self._count -= 1
        self._weight -= entry.weight
        for tag in entry.tags:
            entries = self._by_tag.get(tag)
            if entries is not None and entries.get(key) is entry:
                del entries[key]
                if not entries:
                    del self._by_tag[tag]


class _Moka(Generic[T]):
    """``_Entries`` with W-TinyLFU or LRU, by ``moka-py``, which defers evictions until ``run_pending_tasks`` is called."""

    def __init__(self, owner: LocalCache[T], most_bytes: int, policy: Literal["tiny_lfu", "lru"]) -> None:
        def weight(_key: Hashable, entry: CacheEntry[T]) -> int:
            return owner.weigh(entry)

        def on_removed(key: Hashable, entry: CacheEntry[T], _cause: str) -> None:
            owner.on_removed(key, entry)

        moka = Moka[Hashable, CacheEntry[T]](most_bytes, policy=policy, weigher=weight, eviction_listener=on_removed)
        self.get: Callable[[Hashable], CacheEntry[T] | None] = moka.get  # pyright: ignore[reportAttributeAccessIssue] - overloads
        self.set = moka.set
        self.clear = moka.clear
        self.settle = moka.run_pending_tasks
        self._remove = moka.remove

    def remove(self, key: Hashable, /) -> None:
        self._remove(key)


class _Lfu(Generic[T]):
    """``_Entries`` with LFU (least frequently used), by ``cachetools``."""

    def __init__(self, owner: LocalCache[T], most_bytes: int) -> None:
        self._owner = owner
        self._entries = _Evicting(owner, most_bytes)
        self.get: Callable[[Hashable], CacheEntry[T] | None] = self._entries.get

    def set(self, key: Hashable, value: CacheEntry[T], /) -> None:
        if self._owner.weigh(value) > self._entries.maxsize:
            self._owner.on_removed(key, value)
            return
        self._entries[key] = value

    def remove(self, key: Hashable, /) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._owner.on_removed(key, entry)

    def clear(self) -> None:
        self._entries.clear()

    def settle(self) -> None:
        return None


class _Evicting(LFUCache[Hashable, CacheEntry[T]]):
    def __init__(self, owner: LocalCache[T], most_bytes: int) -> None:
        super().__init__(most_bytes, getsizeof=owner.weigh)
        self._owner = owner

    def popitem(self) -> tuple[Hashable, CacheEntry[T]]:
        key, entry = super().popitem()
        self._owner.on_removed(key, entry)
        return key, entry
