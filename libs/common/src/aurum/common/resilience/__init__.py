"""Protection from failures that spread: timeouts, retries, circuit breakers, bulkheads, load shedding.

Each object is made once for the dependency or the work it protects. Call it to enter it (``async with breaker():``);
``state()`` returns its statistics. Retries are used as ``async for attempt in retry.attempts()``, and load shedding is asked
for each request (``shedding.refuses(now)``). They nest, from the outside in: shedding, bulkhead, timeout, retry, breaker.
``Guards`` collects those of several dependencies.
"""
