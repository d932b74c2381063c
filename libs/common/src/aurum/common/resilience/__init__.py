"""What keeps a failure where it is: timeouts, retries, circuit breakers, bulkheads, shedding.

Each is made once for what it protects, is called to be entered (``async with breaker():``), and tells its ``state()``;
retries are ``async for attempt in retry.attempts()``, and shedding is asked (``shedding.refuses(now)``). They nest;
from the outside in: shedding, bulkhead, timeout, retry, breaker. ``Guards`` are those of some dependencies together.
"""
