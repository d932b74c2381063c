"""Counts of the answers of a run, and their summary: percentiles, throughput, errors, cache hits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.load.profiles import Limits
from bench.load.wire import Reply

_SERVED = ("hit", "stale")


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary of one run, in milliseconds and in shares of all requests.

    ``rate``: answers a second. ``hit_ratio``: share of hits among the answers that a cache could have given; None if the
    service does not report its cache. ``statuses``: counts by status; ``broken`` is a request without a complete answer.
    """

    seconds: float
    requests: int
    rate: float
    megabytes: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    error_share: float
    not_modified_share: float
    hit_ratio: float | None
    statuses: Mapping[str, int]
    caches: Mapping[str, int]

    def missed(self, limits: Limits) -> list[str]:
        """Return a line for each limit that was missed; a run without requests misses as well."""
        if not self.requests:
            return ["no request was sent"]
        most = {"p95_ms": limits.p95_ms, "p99_ms": limits.p99_ms, "error_share": limits.error_share}
        lines = [
            f"{name} is {getattr(self, name):.4g}, limit {limit:g}"
            for name, limit in most.items()
            if limit is not None and getattr(self, name) > limit
        ]
        if limits.hit_ratio is not None and (self.hit_ratio is None or self.hit_ratio < limits.hit_ratio):
            lines.append(f"hit_ratio is {self.hit_ratio}, limit at least {limits.hit_ratio:g}")
        return lines


@dataclass(slots=True)
class Tally:
    """The counts of a run in progress."""

    latencies: list[float] = field(default_factory=list[float])
    statuses: Counter[str] = field(default_factory=Counter[str])
    caches: Counter[str] = field(default_factory=Counter[str])
    size: int = 0

    def note(self, reply: Reply, seconds: float) -> None:
        """Count an answer. ``seconds``: from when the request was due to the end of the answer."""
        self.latencies.append(seconds)
        self.statuses[str(reply.status)] += 1
        self.size += reply.size
        state = cache_state(reply.headers)
        if state is not None:
            self.caches[state] += 1

    def note_broken(self, seconds: float) -> None:
        """Count a request without a complete answer."""
        self.latencies.append(seconds)
        self.statuses["broken"] += 1

    def summary(self, seconds: float) -> Summary:
        """Return the summary of a run that took ``seconds``."""
        ordered = sorted(self.latencies)
        requests = len(ordered)
        share = 1 / requests if requests else 0.0
        fine = sum(count for status, count in self.statuses.items() if status[0] == "2" or status == "304")
        served = sum(self.caches[state] for state in _SERVED)
        cacheable = served + self.caches["miss"]
        return Summary(
            seconds=round(seconds, 2),
            requests=requests,
            rate=round(requests / seconds, 2) if seconds else 0.0,
            megabytes=round(self.size / 1e6, 2),
            p50_ms=percentile(ordered, 0.50),
            p95_ms=percentile(ordered, 0.95),
            p99_ms=percentile(ordered, 0.99),
            error_share=round((requests - fine) * share, 4),
            not_modified_share=round(self.statuses["304"] * share, 4),
            hit_ratio=round(served / cacheable, 4) if cacheable else None,
            statuses=dict(sorted(self.statuses.items())),
            caches=dict(sorted(self.caches.items())),
        )


def cache_state(headers: Mapping[str, str]) -> str | None:
    """Return the value of ``X-Cache``; ``hit`` if there is only an ``Age`` header; None without either."""
    state = headers.get("x-cache")
    if state is not None:
        return state.lower()
    return "hit" if "age" in headers else None


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the percentile of ascending seconds, by nearest rank, in milliseconds; 0 for no values."""
    if not ordered:
        return 0.0
    rank = max(0, -(-int(share * 1_000_000) * len(ordered) // 1_000_000) - 1)
    return round(ordered[min(rank, len(ordered) - 1)] * 1000, 3)
