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
def test_what_is_put_is_found_until_it_is_removed(policy: Policy) -> None:
    cache = LocalCache[str](policy=policy, most_entries=10, most_bytes=1000)
    cache.put("a", entry("1", "t"))
    found = cache.get("a")
    assert found is not None
    assert found.content == "1"
    cache.remove("a")
    assert cache.get("a") is None
    assert (len(cache), cache.weight, cache.tagged(["t"])) == (0, 0, [])


@pytest.mark.parametrize("policy", POLICIES)
def test_no_more_bytes_than_allowed(policy: Policy) -> None:
    cache = LocalCache[str](policy=policy, most_entries=10_000, most_bytes=1_000)
    for number in range(500):
        cache.put(number, entry(str(number), f"tag{number % 7}", weight=1 + number % 90))
    kept = [number for number in range(500) if cache.get(number) is not None]
    assert 0 < sum(1 + number % 90 for number in kept) <= 1_000
    assert len(cache) == len(kept)
    assert cache.weight == sum(1 + number % 90 for number in kept)
    assert {one.content for one in cache.everything()} == {str(number) for number in kept}


@pytest.mark.parametrize("policy", POLICIES)
def test_no_more_entries_than_allowed(policy: Policy) -> None:
    cache = LocalCache[str](policy=policy, most_entries=20, most_bytes=1_000_000)
    for number in range(500):
        cache.put(number, entry())
    assert 0 < len(cache) <= 20


@pytest.mark.parametrize("policy", POLICIES)
def test_an_entry_larger_than_all_is_not_kept(policy: Policy) -> None:
    cache = LocalCache[str](policy=policy, most_entries=20, most_bytes=1_000)
    cache.put("a", entry(weight=2_000))
    assert cache.get("a") is None
    assert (len(cache), cache.weight) == (0, 0)


def test_a_walk_over_everything_does_not_wash_out_what_is_in_use() -> None:
    cache = LocalCache[str](policy="tiny_lfu", most_entries=100, most_bytes=100_000)
    misses = 0
    for number in range(10_000):
        # Every key in use comes by once in 80 requests, and 80 keys of the walk come between: an LRU would keep none of them.
        for key in (("in use", number % 80), ("walk", number)):
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


def test_what_bears_a_forgotten_tag_is_invalid_and_nothing_else() -> None:
    cache = Cache[str](LocalCache(policy="lru", most_entries=10, most_bytes=1000))
    kept, gone = entry("1", "series:1", "source:pjm"), entry("2", "series:2")
    cache.keep("a", kept, since=cache.mark())
    cache.keep("b", gone, since=cache.mark())
    assert cache.forget(["series:2", "series:3"]) == 1
    assert (kept.invalid, gone.invalid) == (False, True)
    assert cache.local.get("b") is gone, "it may still be needed when nothing newer can be made"


def test_what_was_begun_before_its_tag_was_forgotten_is_not_kept() -> None:
    cache = Cache[str](LocalCache(policy="lru", most_entries=10, most_bytes=1000))
    before = cache.mark()
    cache.forget(["series:1"])
    assert not cache.keep("a", entry("1", "series:1"), since=before)
    assert cache.keep("b", entry("1", "series:2"), since=before)
    assert cache.keep("a", entry("1", "series:1"), since=cache.mark())
    before = cache.mark()
    cache.forget_all()
    assert not cache.keep("c", entry("1", "series:9"), since=before)


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
            cache.keep(key, entry("x", *sorted(tags)), since=cache.mark())
            model[key] = (tags, True)
        elif step == "forget":
            cache.forget(tags)
            model = {one: (bears, valid and not bears & tags) for one, (bears, valid) in model.items()}
        else:
            cache.local.remove(key)
            model.pop(key, None)
    found = {key: kept for key in range(9) if (kept := cache.local.get(key)) is not None}
    assert {key: not one.invalid for key, one in found.items()} == {key: valid for key, (_, valid) in model.items()}


def test_nothing_is_kept_that_was_begun_before_what_is_no_longer_known(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("aurum.common.cache.manager.time.monotonic", lambda: now)
    cache = Cache(LocalCache[str](policy="lru", most_entries=10, most_bytes=1000))
    begun = cache.mark()
    cache.forget(["t"])
    now += 200
    cache.forget(f"tag{number}" for number in range(10_001))
    assert not cache.keep("a", entry("1", "t"), since=begun)
    assert cache.keep("a", entry("1", "t"), since=cache.mark())
