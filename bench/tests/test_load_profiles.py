"""Load as callers make it: profiles, requests, counts and limits."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aurum.storage.testing.waiting import wait_until
from bench.load.__main__ import main
from bench.load.drive import Driver
from bench.load.mix import Known, Mix, find_series
from bench.load.profiles import Limits, Phase, Profile, profiles
from bench.load.tally import Tally, cache_state, percentile
from bench.load.wire import Connection, Reply, UnexpectedAnswer

_ROOT = Path(__file__).resolve().parents[2]
_NOW = datetime(2025, 11, 3, tzinfo=UTC)
ANSWER_S = 0.1
_KEY = "nyiso:damlbmp_zone:61761:lmp"


@dataclass
class Service:
    """A stub of the service: lists one series on each of two pages, sends ``answer`` otherwise, and records requests.

    ``closes``: it closes the connection after an answer. ``answers_from``: it waits for that number of requests first.
    ``now``: seconds of its clock; each answer takes ``ANSWER_S`` of them. ``most_unanswered``: requests that had no answer at
    once, at most.
    """

    port: int = 0
    answer: bytes = b'HTTP/1.1 200 OK\r\netag: "v1"\r\nx-cache: hit\r\ncontent-length: 2\r\n\r\n{}'
    closes: bool = False
    answers_from: int = 1
    requests: list[str] = field(default_factory=list)
    now: float = 0.0
    unanswered: int = 0
    most_unanswered: int = 0

    async def answer_to(self, request: str) -> bytes:
        self.unanswered += 1
        self.most_unanswered = max(self.most_unanswered, self.unanswered)
        answer = self.reply(request)
        if self.answers_from > 1:
            await wait_until(lambda: len(self.requests) >= self.answers_from)
        self.unanswered -= 1
        self.now += ANSWER_S
        return answer

    def reply(self, request: str) -> bytes:
        target = request.split(" ", 2)[1]
        if not target.startswith("/v2/series?limit=200"):
            self.requests.append(request)
            return b"HTTP/1.1 304 Not Modified\r\nx-cache: hit\r\n\r\n" if "If-None-Match" in request else self.answer
        key, cursor = (_KEY, "more") if "cursor" not in target else ("b:b:b:b", None)
        item = {
            "key": key,
            "first": "2025-10-01T00:00:00Z",
            "last": "2025-11-03T00:00:00Z",
            "updated_at": "2025-11-03T00:00:00Z",
        }
        empty = {**item, "key": "c:c:c:c", "first": None, "last": None}
        body = json.dumps({"data": [item, empty], "meta": {"next_cursor": cursor}}).encode()
        return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


@asynccontextmanager
async def listening(service: Service) -> AsyncGenerator[Service]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(await service.answer_to(request.decode()))
                await writer.drain()
                if service.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has closed the connection
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        service.port = server.sockets[0].getsockname()[1]
        yield service


def mix(kind: str = "reads", **options: object) -> Mix:
    known = [Known(f"a:b:{number}:c", _NOW.replace(month=10), _NOW, _NOW) for number in range(5)]
    return Mix(known, kind, random.Random(1), **options)  # type: ignore[arg-type] - as the options are


async def driven(service: Service, profile: Profile, mixed: Mix, *, clock: Callable[[], float] = time.perf_counter):
    """Run a profile. With a clock of the service, which only answers move, users make a known number of requests."""
    return await Driver(lambda: Connection("127.0.0.1", service.port), mixed, pause_s=0.0, clock=clock).run(profile)


def of(*phases: Phase) -> Profile:
    return Profile("it", "", "reads", phases, Limits())


def test_the_profiles_have_their_durations_users_and_limits() -> None:
    by_name = profiles()
    assert {name: one.seconds for name, one in by_name.items()} == {"reads": 60, "export": 60, "ramp": 60, "stress": 300}
    assert [phase.users for phase in by_name["ramp"].phases] == [10, 50, 100]
    assert (by_name["reads"].limits.p95_ms, by_name["export"].limits.p95_ms, by_name["stress"].limits.p99_ms) == (
        500,
        2000,
        2000,
    )


def test_a_shorter_run_keeps_the_proportions_of_its_phases() -> None:
    short = profiles()["ramp"].lasting(6)
    assert [phase.seconds for phase in short.phases] == [2, 2, 2]
    assert [phase.users for phase in short.phases] == [10, 50, 100]


@pytest.mark.parametrize("seconds", [0, -1, 601, float("inf"), float("nan")])
def test_every_run_has_an_end(seconds: float) -> None:
    with pytest.raises(ValueError, match="at most 600"):
        profiles()["reads"].lasting(seconds)


@pytest.mark.parametrize("name", ["reads", "export", "ramp", "stress"])
def test_k6_has_a_script_for_every_profile(name: str) -> None:
    script = (_ROOT / "bench" / "k6" / f"{name}.js").read_text()
    assert f'profile("{name}")' in script


async def test_series_are_found_over_all_pages_and_those_without_observations_left_out() -> None:
    async with listening(Service()) as service:
        connection = Connection("127.0.0.1", service.port)
        assert [one.key for one in await find_series(connection, (), 10)] == [_KEY, "b:b:b:b"]
        assert [one.key for one in await find_series(connection, (), 1)] == [_KEY]
        connection.close()


async def test_requests_at_a_rate_are_as_many_as_the_rate_says() -> None:
    async with listening(Service()) as service:
        summary = await driven(service, of(Phase(0.05, rate=400)), mix())
    assert summary.requests == len(service.requests) == 20
    assert (summary.error_share, summary.hit_ratio) == (0.0, 1.0)


async def test_a_slow_answer_does_not_hold_up_the_requests_after_it() -> None:
    async with listening(Service(answers_from=10)) as service:
        summary = await driven(service, of(Phase(0.05, rate=200)), mix())
    assert summary.requests == service.most_unanswered == 10
    assert summary.statuses == {"200": 10}


async def test_users_wait_for_their_answers() -> None:
    async with listening(Service(answers_from=3)) as service:
        summary = await driven(service, of(Phase(10 * ANSWER_S, users=3)), mix(), clock=lambda: service.now)
    assert service.most_unanswered == 3
    # Ten answers end the phase, and then at most three requests are under way.
    assert 10 <= summary.requests <= 13
    assert summary.p50_ms >= ANSWER_S * 1000


async def test_known_answers_are_requested_with_their_tag_in_the_configured_share() -> None:
    async with listening(Service()) as service:
        phase = Phase(60 * ANSWER_S, users=1)
        none = await driven(service, of(phase), mix(conditional=0.0), clock=lambda: service.now)
        always = await driven(service, of(phase), mix(conditional=1.0), clock=lambda: service.now)
    assert none.not_modified_share == 0.0
    assert 0 < always.not_modified_share < 1
    assert always.statuses["304"] == sum('If-None-Match: "v1"' in one for one in service.requests)
    assert always.error_share == 0.0


async def test_the_configured_share_of_requests_has_the_key() -> None:
    async with listening(Service()) as service:
        phase = Phase(120 * ANSWER_S, users=1)
        await driven(service, of(phase), mix(headers=("X-API-Key: k",), with_key=0.5), clock=lambda: service.now)
    with_key = sum("X-API-Key: k" in one for one in service.requests)
    assert 0.3 < with_key / len(service.requests) < 0.7


async def test_refusals_and_broken_answers_are_errors() -> None:
    refusing = Service(answer=b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
    async with listening(refusing) as service:
        summary = await driven(service, of(Phase(0.01, rate=1000)), mix())
    assert (summary.error_share, summary.statuses) == (1.0, {"503": 10})
    breaking = Service(answer=b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab", closes=True)  # seven bytes are missing
    async with listening(breaking) as service:
        cut_off = await driven(service, of(Phase(0.01, rate=1000)), mix())
    assert cut_off.statuses == {"broken": 10}
    gone = await driven(Service(port=service.port), of(Phase(0.01, rate=1000)), mix())
    assert gone.statuses == {"broken": 10}


def test_exports_are_whole_histories_in_bulk_formats() -> None:
    mixed = mix("exports")
    drawn = [mixed.draw()[0] for _ in range(40)]
    assert {path.rpartition("=")[2] for path in drawn} == {"arrow", "parquet", "csv", "ndjson"}
    assert all("start=" not in path for path in drawn)


def test_the_first_series_are_requested_most() -> None:
    mixed = mix()
    counts = Counter(path.split("/")[3] for path, _ in (mixed.draw() for _ in range(2000)) if path.startswith("/v2/series/"))
    assert counts["a%3Ab%3A0%3Ac"] > 1.5 * counts["a%3Ab%3A1%3Ac"] > counts["a%3Ab%3A4%3Ac"]


def test_the_same_seed_draws_the_same_requests() -> None:
    one, other = mix(), mix()
    assert [one.draw() for _ in range(50)] == [other.draw() for _ in range(50)]


@pytest.mark.parametrize(
    ("headers", "state"),
    [({"x-cache": "HIT"}, "hit"), ({"x-cache": "miss", "age": "3"}, "miss"), ({"age": "3"}, "hit"), ({}, None)],
)
def test_the_state_of_the_cache(headers: dict[str, str], state: str | None) -> None:
    assert cache_state(headers) == state


def test_the_hit_ratio_is_of_what_a_cache_could_have_given() -> None:
    tally = Tally()
    for state in ("hit", "hit", "stale", "miss", "bypass"):
        tally.note(Reply(200, {"x-cache": state}, 0), 0.001)
    assert tally.summary(1.0).hit_ratio == 0.75
    assert Tally().summary(1.0).hit_ratio is None


def test_percentiles_are_by_nearest_rank() -> None:
    hundred = [number / 1000 for number in range(1, 101)]
    assert [percentile(hundred, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert percentile([0.007], 0.5) == 7
    assert percentile([], 0.5) == 0


def test_every_missed_limit_is_named() -> None:
    tally = Tally()
    tally.note(Reply(500, {"x-cache": "miss"}, 0), 0.9)
    missed = tally.summary(1.0).missed(Limits(p95_ms=500, p99_ms=1000, error_share=0.01, hit_ratio=0.8))
    assert [line.split()[0] for line in missed] == ["p95_ms", "error_share", "hit_ratio"]
    assert Tally().summary(1.0).missed(Limits()) == ["no request was sent"]


async def test_the_exit_code_says_whether_limits_were_met(capsys: pytest.CaptureFixture[str]) -> None:
    async with listening(Service()) as service:
        argv = ["reads", "--seconds", "0.25", "--json", "--url", f"http://127.0.0.1:{service.port}"]
        assert await asyncio.to_thread(main, argv) == 0
        assert json.loads(capsys.readouterr().out)["requests"] == 1
        service.answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        assert await asyncio.to_thread(main, argv) == 1
        assert "error_share" in capsys.readouterr().err
    assert await asyncio.to_thread(main, argv) == 2


@pytest.mark.parametrize("url", ["http://example.org/", "http://localhost:1/"])
def test_a_profile_never_leaves_the_machine(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reads", "--url", url]) == 2
    assert "127.0.0.1 only" in capsys.readouterr().err


async def test_a_service_that_refuses_the_list_is_not_loaded() -> None:
    async with listening(Service()) as service:
        service.reply = lambda _: b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"  # type: ignore[method-assign] - a stub
        connection = Connection("127.0.0.1", service.port)
        with pytest.raises(UnexpectedAnswer, match="401"):
            await find_series(connection, (), 10)
        connection.close()


@pytest.mark.needs_process
def test_the_help_lists_every_profile() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "bench.load", "--help"], cwd=_ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert all(f"  {name} " in shown for name in profiles())
