"""Stored answers for requests that are sent twice."""

from __future__ import annotations

import asyncio

from aurum.storage.ports.idempotency import EarlierRequest, StoredAnswer
from aurum.storage.testing.stores import Store
from aurum.storage.testing.waiting import wait_until

ANSWER = StoredAnswer(201, (("content-type", "application/json"),), b'{"id":1}')


async def test_the_first_has_the_key_and_the_next_gets_its_answer(store: Store) -> None:
    keys = store.idempotency
    assert await keys.begin("acme", "k", b"one", claim_s=60) is None
    assert await keys.begin("acme", "k", b"one", claim_s=60) == EarlierRequest(b"one", None)
    await keys.finish("acme", "k", ANSWER, keep_s=60)
    assert await keys.begin("acme", "k", b"two", claim_s=60) == EarlierRequest(b"one", ANSWER)


async def test_tenants_have_keys_of_their_own(store: Store) -> None:
    assert await store.idempotency.begin("acme", "k", b"one", claim_s=60) is None
    assert await store.idempotency.begin("bolt", "k", b"two", claim_s=60) is None


async def test_a_key_that_was_given_up_can_be_claimed_again(store: Store) -> None:
    await store.idempotency.begin("acme", "k", b"one", claim_s=60)
    await store.idempotency.give_up("acme", "k")
    assert await store.idempotency.begin("acme", "k", b"two", claim_s=60) is None


async def test_an_answer_cannot_be_given_up_or_replaced(store: Store) -> None:
    await store.idempotency.begin("acme", "k", b"one", claim_s=60)
    await store.idempotency.finish("acme", "k", ANSWER, keep_s=60)
    await store.idempotency.give_up("acme", "k")
    await store.idempotency.finish("acme", "k", StoredAnswer(500, (), b""), keep_s=60)
    assert await store.idempotency.begin("acme", "k", b"one", claim_s=60) == EarlierRequest(b"one", ANSWER)


async def test_the_claim_of_a_dead_process_ends(store: Store) -> None:
    await store.idempotency.begin("acme", "k", b"one", claim_s=0.05)

    async def is_claimed() -> bool:
        return await store.idempotency.begin("acme", "k", b"two", claim_s=60) is None

    await wait_until(is_claimed)
    assert await store.idempotency.begin("acme", "k", b"two", claim_s=60) == EarlierRequest(b"two", None)


async def test_of_many_at_once_one_has_the_key(store: Store) -> None:
    answers = await asyncio.gather(*(store.idempotency.begin("acme", "k", b"one", claim_s=60) for _ in range(10)))
    assert answers.count(None) == 1


async def test_sweeping_drops_what_is_out_of_date(store: Store) -> None:
    await store.idempotency.begin("acme", "old", b"one", claim_s=-1)
    await store.idempotency.begin("acme", "new", b"one", claim_s=60)
    assert await store.idempotency.sweep() == 1
    assert await store.idempotency.begin("acme", "new", b"one", claim_s=60) == EarlierRequest(b"one", None)
