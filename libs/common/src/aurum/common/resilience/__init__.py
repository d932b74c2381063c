"""What keeps a failure where it is: timeouts, retries, circuit breakers, bulkheads, shedding.

Each is made once for what it protects, is called to be entered (``async with breaker():``) or put over a coroutine function
(``@breaker()``), and tells its ``state()``; retries are ``@retry`` or ``async for attempt in retry.attempts()``. They nest;
from the outside in: shedding, bulkhead, timeout, retry, breaker. ``Guards`` are those of some dependencies together.
"""
