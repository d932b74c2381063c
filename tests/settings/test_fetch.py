"""Settings of downloads: keys, parts, turns, limits and the proxy, against a publisher on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aurum.common.errors import InvalidSetting
from aurum.common.settings import Settings, load_settings
from aurum.pipelines.fetch.client import Fetcher
from aurum.pipelines.fetch.downloads import Downloaded, Downloads
from aurum.pipelines.fetch.errors import FetchFailed, FetchRefused
from aurum.pipelines.fetch.turns import Turns
from aurum.pipelines.public_files import Credential, Granularity, Publication, PublicFiles, Request
from aurum.pipelines.registry import own_registry
from aurum.pipelines.testing.publisher import Publisher, Reply, SteppingClock, publisher_on_loopback

shows = pytest.mark.shows
DAY = date(2025, 7, 4)
NOTHING = b'{"response": {"total": "0", "data": []}}'


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publisher_on_loopback() as running:
        yield running


@dataclass
class Client:
    """Downloads with the settings of a test."""

    publisher: Publisher
    settings: Settings
    folder: Path
    clock: SteppingClock

    @property
    def turns(self) -> Turns:
        seconds = self.settings.fetch.seconds_between
        return Turns(self.folder / "turns", self.clock, [], seconds=seconds, sleep=self.clock.sleep)

    async def __call__(self, dataset: str) -> list[Downloaded]:
        registry, files = own_registry(), self.folder / "files"
        downloads = Downloads(registry, self.settings.fetch, files, self.clock, self.turns, address=self.publisher.address)
        source, _, name = dataset.partition(":")
        async with aclosing(downloads.run(downloads.plan(source, name, [DAY]))) as results:
            return [result async for result in results]

    async def file(self, url: str, needs: Credential | None = None, count: int = 1) -> None:
        """Download a file of no dataset."""
        publication = Publication(Granularity.DAY, DAY, DAY, (Request(url),) * count, (DAY,))
        async with Fetcher(self.folder, self.settings.fetch, self.turns, address=self.publisher.address) as fetcher:
            await fetcher.fetch("acme", "prices", PublicFiles(needs=needs), publication)


@pytest.fixture
def fetch(publisher: Publisher, settings: Settings, tmp_path: Path) -> Client:
    return Client(publisher, settings, tmp_path, SteppingClock(datetime(2025, 7, 5, 12, tzinfo=UTC)))


@shows(AURUM_FETCH__PJM_KEY="key-of-pjm")
async def test_the_key_of_pjm_is_sent_in_a_header(fetch: Client) -> None:
    await fetch("pjm:wind_gen")
    assert fetch.publisher.received[0].headers["ocp-apim-subscription-key"] == "key-of-pjm"


@shows(AURUM_FETCH__ENTSOE_TOKEN="token-of-entsoe", AURUM_FETCH__PARTS='{"entsoe": ["10YFR-RTE------C"]}')
async def test_the_token_of_entsoe_is_sent_for_each_part(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(status=404)]
    await fetch("entsoe:load")
    (received,) = fetch.publisher.received
    assert received.query["securityToken"] == "token-of-entsoe"
    assert received.query["outBiddingZone_Domain"] == "10YFR-RTE------C"


@shows(AURUM_FETCH__EIA_KEY="key-of-eia")
async def test_the_key_of_eia_is_sent(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(NOTHING)]
    await fetch("eia:rto_region")
    assert fetch.publisher.received[0].query["api_key"] == "key-of-eia"


@shows(AURUM_FETCH__FRED_KEY="key-of-fred")
async def test_with_a_key_the_web_service_of_fred_is_used(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(status=404)]
    await fetch("fred:observations")
    assert fetch.publisher.received[0].host == "api.stlouisfed.org"
    assert fetch.publisher.received[0].query["api_key"] == "key-of-fred"


@shows(AURUM_FETCH__KEYS='{"acme": "key-of-acme"}')
async def test_a_source_outside_aurum_has_its_key_among_the_others(fetch: Client) -> None:
    needs = Credential("acme", "AURUM_FETCH__KEYS", "https://acme.example", header="X-Key")
    await fetch.file("https://acme.example/1.csv", needs)
    assert fetch.publisher.received[0].headers["x-key"] == "key-of-acme"


@shows(AURUM_FETCH__SECONDS_BETWEEN='{"acme.example": 7}')
async def test_a_host_is_requested_as_often_as_the_setting_says(fetch: Client) -> None:
    await fetch.file("https://acme.example/1.csv", count=2)
    assert fetch.clock.slept == [7.0]


@shows(AURUM_FETCH__TRIES="1")
async def test_a_download_is_tried_so_often(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(status=503)]
    with pytest.raises(FetchFailed):
        await fetch.file("https://acme.example/1.csv")
    assert len(fetch.publisher.received) == 1


@shows(AURUM_FETCH__WHOLE_S="0.1")
async def test_a_download_has_so_much_time(fetch: Client) -> None:
    fetch.publisher.replies = [Reply(drips=True)]
    with pytest.raises(FetchFailed, match=r"not complete after 0\.1 s"):
        await fetch.file("https://acme.example/1.csv")


@shows(AURUM_FETCH__PROXY="http://127.0.0.1:9")
async def test_downloads_use_the_proxy(fetch: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio.sleep", fetch.clock.sleep)  # between the tries
    with pytest.raises(FetchFailed, match="ConnectError"):
        await fetch.file("https://acme.example/1.csv")
    assert fetch.publisher.received == []


@shows(AURUM_FETCH__ALLOW_PRIVATE="true")
async def test_redirects_into_private_networks_are_followed(fetch: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def public(host: str, port: int) -> list[str]:
        return ["93.184.216.34"] if port == fetch.publisher.port else ["127.0.0.1"]

    monkeypatch.setattr("aurum.pipelines.fetch.client.system_lookup", public)
    with publisher_on_loopback() as inside:
        redirect = Reply(status=302, headers={"Location": f"http://127.0.0.1:{inside.port}/acme.example/1.csv"})
        fetch.publisher.replies = [redirect]
        await fetch.file("https://acme.example/1.csv")
        assert inside.paths == ["/1.csv"]
        fetch.settings = fetch.settings.model_copy(
            update={"fetch": fetch.settings.fetch.model_copy(update={"allow_private": False})}
        )
        with pytest.raises(FetchRefused, match="AURUM_FETCH__ALLOW_PRIVATE=true allows it"):
            await fetch.file("https://acme.example/1.csv")


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("AURUM_FETCH__KEYS", '{"acme": 12345678}', "AURUM_FETCH__KEYS__ACME: Input should be a valid string"),
        ("AURUM_FETCH__KEYS", '{"acme": "12345678', "AURUM_FETCH or a variable .* the value is not JSON"),
        ("AURUM_FETCH__SECONDS_BETWEEN", '{"acme.example": -1}', "acme.example: -1 is not between 0 and 3600 seconds"),
        ("AURUM_LINKS__SECRET", "12345678", "AURUM_LINKS__SECRET: Value should have at least 32"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_no_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSetting, match=message) as caught:
        load_settings()
    assert "12345678" not in str(caught.value)
