"""The tier in the process: bounds, policies, tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.common.cache import Cache, CacheEntry, LocalCache, Tally
from aurum.common.settings.cache import Policy

POLICIES: tuple[Policy, ...] = ("tiny_lfu", "lru", "lfu")


def entry(content: str = "x", *tags: str, weight: int = 10, fresh_s: float = 60.0) -> CacheEntry[str]:
    return CacheEntry(content, keyspace="k", tally=Tally(), tags=tags, made_at=0.0, fresh_s=fresh_s, stale_s=0.0, weight=weight)


@pytest.mark.parametrize("policy", POLICIES)
def test_an_entry_is_returned_until_it_is_removed(policy: Policy) -> None:
    cache = LocalCache[str](policy=policy, most_entries=10, most_bytes=1000)
    cache.put("a", entry("1", "t"))
    stored = cache.get("a")
    assert stored is not None
    assert stored.content == "1"
    cache.remove("a")
    assert cache.get("a") is None
    assert (len(cache), cache.weight, cache.tagged(["t"])) == (0, 0, [])


@pytest.mark.parametrize("policy", POLICIES)
def test_no_more_bytes_than_allowed(policy: Policy) -> None:
    cache = LocalCache[str](policy=policy, most_entries=10_000, most_bytes=1_000)
    for number in range(500):
        cache.put(number, entry(str(number), f"tag{number % 7}", weight=1 + number % 90))
    numbers = [number for number in range(500) if cache.get(number) is not None]
    assert 0 < sum(1 + number % 90 for number in numbers) <= 1_000
    assert len(cache) == len(numbers)
    assert cache.weight == sum(1 + number % 90 for number in numbers)
    assert {one.content for one in cache.everything()} == {str(number) for number in numbers}


@pytest.mark.parametrize("policy", POLICIES)
def test_no_more_entries_than_allowed(policy: Policy) -> None:
    cache = LocalCache[str](policy=policy, most_entries=20, most_bytes=1_000_000)
    for number in range(500):
        cache.put(number, entry())
    assert 0 < len(cache) <= 20


@pytest.mark.parametrize("policy", POLICIES)
def test_an_entry_larger_than_the_cache_is_not_stored(policy: Policy) -> None:
    cache = LocalCache[str](policy=policy, most_entries=20, most_bytes=1_000)
    cache.put("a", entry(weight=2_000))
    assert cache.get("a") is None
    assert (len(cache), cache.weight) == (0, 0)


def test_a_scan_over_all_keys_does_not_evict_the_entries_in_use() -> None:
    cache = LocalCache[str](policy="tiny_lfu", most_entries=100, most_bytes=100_000)
    misses = 0
    for number in range(10_000):
        # Each key in use comes once in 80 steps, with 80 keys of the scan in between: an LRU would evict all of them.
        for key in (("in use", number % 80), ("scan", number)):
            if cache.get(key) is None:
                cache.put(key, entry())
                misses += key[0] == "in use"
    assert misses < 2_000


@pytest.mark.parametrize("policy", POLICIES)
def test_a_key_put_twice_holds_the_second_and_its_tags(policy: Policy) -> None:
    cache = LocalCache[str](policy=policy, most_entries=10, most_bytes=1000)
    cache.put("a", entry("1", "old"))
    cache.put("a", entry("2", "new"))
    assert [one.content for one in cache.tagged(["old", "new"])] == ["2"]
    assert len(cache) == 1


def test_entries_with_a_forgotten_tag_are_invalid_and_no_others() -> None:
    cache = Cache[str](LocalCache(policy="lru", most_entries=10, most_bytes=1000))
    valid, invalid = entry("1", "series:1", "source:pjm"), entry("2", "series:2")
    cache.put("a", valid, since=cache.mark())
    cache.put("b", invalid, since=cache.mark())
    assert cache.forget(["series:2", "series:3"]) == 1
    assert (valid.invalid, invalid.invalid) == (False, True)
    assert cache.local.get("b") is invalid, "it may still be served when no newer result can be made"


def test_a_result_begun_before_its_tag_was_forgotten_is_not_stored() -> None:
    cache = Cache[str](LocalCache(policy="lru", most_entries=10, most_bytes=1000))
    before = cache.mark()
    cache.forget(["series:1"])
    assert not cache.put("a", entry("1", "series:1"), since=before)
    assert cache.put("b", entry("1", "series:2"), since=before)
    assert cache.put("a", entry("1", "series:1"), since=cache.mark())
    before = cache.mark()
    cache.forget_all()
    assert not cache.put("c", entry("1", "series:9"), since=before)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(0, 8), st.sets(st.sampled_from("abc"), min_size=1)),
            st.tuples(st.just("forget"), st.integers(0, 8), st.sets(st.sampled_from("abc"), min_size=1)),
            st.tuples(st.just("remove"), st.integers(0, 8), st.just({"a"})),
        ),
        max_size=60,
    )
)
def test_an_entry_is_valid_exactly_when_none_of_its_tags_was_forgotten_since(steps: list[tuple[str, int, set[str]]]) -> None:
    cache = Cache[str](LocalCache(policy="lru", most_entries=100, most_bytes=100_000))
    model: dict[int, tuple[set[str], bool]] = {}
    for step, key, tags in steps:
        if step == "put":
            cache.put(key, entry("x", *sorted(tags)), since=cache.mark())
            model[key] = (tags, True)
        elif step == "forget":
            cache.forget(tags)
            model = {other: (own, valid and not own & tags) for other, (own, valid) in model.items()}
        else:
            cache.local.remove(key)
            model.pop(key, None)
    stored = {key: cached for key in range(9) if (cached := cache.local.get(key)) is not None}
    assert {key: not one.invalid for key, one in stored.items()} == {key: valid for key, (_, valid) in model.items()}


def test_a_result_begun_before_an_invalidation_no_longer_remembered_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("aurum.common.cache.manager.time.monotonic", lambda: now)
    cache = Cache(LocalCache[str](policy="lru", most_entries=10, most_bytes=1000))
    begun = cache.mark()
    cache.forget(["t"])
    now += 200
    cache.forget(f"tag{number}" for number in range(10_001))
    assert not cache.put("a", entry("1", "t"), since=begun)
    assert cache.put("a", entry("1", "t"), since=cache.mark())
