"""The first tier: in this process, bounded by entries and by bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, Literal, Protocol, TypeVar

from cachetools import LFUCache
from moka_py import Moka

from aurum.common.cache.entry import CacheEntry
from aurum.common.settings.cache import Policy

T = TypeVar("T")


class _Kept(Protocol[T]):
    """What a policy gives: entries by key, within a weight. ``settle``: let go of what is too much."""

    def get(self, key: Hashable, /) -> CacheEntry[T] | None: ...
    def set(self, key: Hashable, value: CacheEntry[T], /) -> None: ...
    def remove(self, key: Hashable, /) -> None: ...
    def clear(self) -> None: ...
    def settle(self) -> None: ...


class LocalCache(Generic[T]):
    """Entries by key and by tag. Not for several threads.

    ``policy``: who goes when it is full: ``tiny_lfu`` (W-TinyLFU: a new entry must be asked for more often than the one it
    would replace, so that a walk over everything does not wash out what is in use), ``lru`` or ``lfu``.
    """

    def __init__(self, *, policy: Policy, most_entries: int, most_bytes: int) -> None:
        # One bound for both: an entry weighs at least its share of the bytes.
        self._least = max(1, most_bytes // most_entries)
        self._by_tag: dict[str, dict[Hashable, CacheEntry[T]]] = {}
        self._weight = 0
        self._count = 0
        self._kept: _Kept[T] = _Lfu(self, most_bytes) if policy == "lfu" else _Moka(self, most_bytes, policy)
        self.get = self._kept.get
        """The entry of a key, fresh or not; None when there is none."""

    def __len__(self) -> int:
        return self._count

    @property
    def weight(self) -> int:
        """Bytes."""
        return self._weight

    def put(self, key: Hashable, entry: CacheEntry[T]) -> None:
        """Keep an entry, in place of one under the same key."""
        self._kept.remove(key)
        self._count += 1
        self._weight += entry.weight
        for tag in entry.tags:
            self._by_tag.setdefault(tag, {})[key] = entry
        self._kept.set(key, entry)
        self._kept.settle()

    def remove(self, key: Hashable) -> None:
        """Drop an entry, if it is there."""
        self._kept.remove(key)

    def clear(self) -> None:
        """Drop all."""
        self._kept.clear()
        self._by_tag.clear()
        self._weight = self._count = 0

    def tagged(self, tags: Iterable[str]) -> list[CacheEntry[T]]:
        """All entries that bear one of the tags."""
        found: list[CacheEntry[T]] = []
        for tag in tags:
            found += self._by_tag.get(tag, {}).values()
        return found

    def everything(self) -> list[CacheEntry[T]]:
        """All entries that bear a tag."""
        return [entry for entries in self._by_tag.values() for entry in entries.values()]

    def weigh(self, entry: CacheEntry[T]) -> int:
        """What an entry counts against the bound."""
        return max(self._least, entry.weight)

    def left(self, key: Hashable, entry: CacheEntry[T]) -> None:
        """An entry is no longer kept, for whatever reason."""
        self._count -= 1
        self._weight -= entry.weight
        for tag in entry.tags:
            entries = self._by_tag.get(tag)
            if entries is not None and entries.get(key) is entry:
                del entries[key]
                if not entries:
                    del self._by_tag[tag]


class _Moka(Generic[T]):
    """W-TinyLFU and least recently used, by ``moka-py``, which puts its housekeeping off until it is told."""

    def __init__(self, owner: LocalCache[T], most_bytes: int, policy: Literal["tiny_lfu", "lru"]) -> None:
        def weight(_key: Hashable, entry: CacheEntry[T]) -> int:
            return owner.weigh(entry)

        def left(key: Hashable, entry: CacheEntry[T], _cause: str) -> None:
            owner.left(key, entry)

        kept = Moka[Hashable, CacheEntry[T]](most_bytes, policy=policy, weigher=weight, eviction_listener=left)
        self.get: Callable[[Hashable], CacheEntry[T] | None] = kept.get  # pyright: ignore[reportAttributeAccessIssue] - overloads
        self.set = kept.set
        self.clear = kept.clear
        self.settle = kept.run_pending_tasks
        self._remove = kept.remove

    def remove(self, key: Hashable, /) -> None:
        self._remove(key)


class _Lfu(Generic[T]):
    """Least frequently used, by ``cachetools``."""

    def __init__(self, owner: LocalCache[T], most_bytes: int) -> None:
        self._owner = owner
        self._entries = _Evicting(owner, most_bytes)
        self.get: Callable[[Hashable], CacheEntry[T] | None] = self._entries.get

    def set(self, key: Hashable, value: CacheEntry[T], /) -> None:
        if self._owner.weigh(value) > self._entries.maxsize:
            self._owner.left(key, value)
            return
        self._entries[key] = value

    def remove(self, key: Hashable, /) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._owner.left(key, entry)

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
        self._owner.left(key, entry)
        return key, entry
