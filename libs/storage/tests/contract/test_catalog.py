"""The catalog: pages, filters, names, declarations."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import pytest_asyncio

from aurum.core.calendars import default_blocks
from aurum.core.catalog import Fuel, Kind, MarketRun
from aurum.core.catalog.dimensions import Component
from aurum.core.catalog.entries import DatasetEntry, DatasetExtent, LocationEntry, PlaceName, SourceEntry
from aurum.core.frequency import Frequency
from aurum.core.keys import SeriesKey
from aurum.core.series.model import SeriesSpec
from aurum.storage.ports.catalog import LocationFilter, SeriesFilter
from aurum.storage.testing.builders import file_load, hour
from aurum.storage.testing.stores import Store, series_named

EVERYTHING = SeriesFilter()

KEYS = [
    "inv_b:prices:.HUB:lmp",
    "inv_b:prices:4001:congestion",
    "inv_b:prices:4001:lmp",
    "inva:load:North:load",
    "inva:load:north:load",
    "inva:load:Ünterwald 100%:load",
    "inva:weather:x_y:temperature",
]
"""Keys in the order of code points: upper case before lower case, ``_`` before letters."""


async def stock(store: Store) -> None:
    for key in reversed(KEYS):
        market = "INVB" if key.startswith("inv_b") else None
        unit = {"lmp": "USD/MWh", "congestion": "USD/MWh", "load": "MW", "temperature": "degF"}[key.split(":")[-1]]
        name = "The Hub" if ".HUB" in key else ""
        await store.loader.load(
            file_load(
                [(0, 1, 1.0)],
                key=key,
                unit=unit,
                market=market,
                currency="USD" if unit.startswith("USD") else None,
                zone="America/New_York",
                location_name=name,
                location_type="Trading-Hub" if name else "",
                kind={"lmp": "price", "congestion": "price", "load": "load", "temperature": "weather"}[key.split(":")[-1]],
                market_run="day_ahead" if market else None,
                fuel="wind" if "North" in key else None,
            )
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stocked(module_store: Store) -> Store:
    """A store of this module with these series, for tests that only read."""
    await stock(module_store)
    return module_store


async def keys_of(store: Store, criteria: SeriesFilter) -> list[str]:
    return [str(series.key) for series in await store.catalog.series_page(criteria, after=None, limit=100)]


async def test_a_series_comes_back_as_it_was_described(store: Store) -> None:
    key = "invented:prices:a:b:lmp"
    await store.loader.load(
        file_load(
            [(0, 1, 1.0)],
            key=key,
            unit="USD/MWh",
            frequency="15min",
            zone="America/Chicago",
            market="INV",
            currency="USD",
            location_name="Ä:b",
            location_type="node",
            labels={"fuel": "gas"},
            kind="generation",
            market_run="real_time",
            fuel="gas",
            fuel_detail="gas_ccgt",
        )
    )
    series = await series_named(store, key)
    assert series.spec == SeriesSpec(
        key=SeriesKey("invented", "prices", "a:b", "lmp"),
        unit="USD/MWh",
        frequency=Frequency.MIN_15,
        zone="America/Chicago",
        market="INV",
        currency="USD",
        location_name="Ä:b",
        location_type="node",
        labels={"fuel": "gas"},
        kind=Kind.GENERATION,
        market_run=MarketRun.REAL_TIME,
        fuel=Fuel.GAS,
        fuel_detail="gas_ccgt",
    )
    assert (series.version, series.first_ts, series.last_ts) == (1, hour(0), hour(0))


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_pages_of_series_give_every_key_once_in_the_order_of_code_points(stocked: Store, limit: int) -> None:
    seen: list[str] = []
    while page := await stocked.catalog.series_page(EVERYTHING, after=seen[-1] if seen else None, limit=limit):
        assert len(page) <= limit
        seen += [str(series.key) for series in page]
    assert seen == sorted(KEYS) == KEYS


async def test_pages_stay_as_they_are_when_series_come_in_between(store: Store) -> None:
    await stock(store)
    first = await store.catalog.series_page(EVERYTHING, after=None, limit=3)
    await store.loader.load(file_load([(0, 1, 1.0)], key="aaa:load:new:load"))
    second = await store.catalog.series_page(EVERYTHING, after=str(first[-1].key), limit=100)
    assert [str(series.key) for series in (*first, *second)] == KEYS


@pytest.mark.parametrize(
    ("criteria", "places"),
    [
        (EVERYTHING, [0, 1, 2, 3, 4, 5, 6]),
        (SeriesFilter(source="inva"), [3, 4, 5, 6]),
        (SeriesFilter(dataset="load"), [3, 4, 5]),
        (SeriesFilter(market="INVB"), [0, 1, 2]),
        (SeriesFilter(measure="lmp"), [0, 2]),
        (SeriesFilter(location="north"), [4]),
        (SeriesFilter(source="inv_b", measure="lmp", location="4001"), [2]),
        (SeriesFilter(kind=Kind.LOAD), [3, 4, 5]),
        (SeriesFilter(kind=Kind.FLOW), []),
        (SeriesFilter(market_run=MarketRun.DAY_AHEAD), [0, 1, 2]),
        (SeriesFilter(fuel=Fuel.WIND), [3]),
        (SeriesFilter(kind=Kind.PRICE, fuel=Fuel.WIND), []),
        (SeriesFilter(location_type="trading hub"), [0]),
        (SeriesFilter(location_type="TRADING_HUB", kind=Kind.PRICE), [0]),
        (SeriesFilter(location_type="hub"), []),
        (SeriesFilter(source="inva", market="INVB"), []),
        (SeriesFilter(source="INVA"), []),
        (SeriesFilter(text="NORTH"), [3, 4]),
        (SeriesFilter(text="the hub"), [0]),
        (SeriesFilter(text="00%"), [5]),
        (SeriesFilter(text="x_y"), [6]),
        (SeriesFilter(text="h_b"), []),
        (SeriesFilter(text="0%1"), []),
        (SeriesFilter(text="\\"), []),
        (SeriesFilter(text="lmp", source="inva"), []),
        (SeriesFilter(component=Component.TOTAL, source="inv_b"), [0, 2]),
        (SeriesFilter(component=Component.CONGESTION), [1]),
        (SeriesFilter(component=Component.LOSS), []),
        (SeriesFilter(pattern="inva:*"), [3, 4, 5, 6]),
        (SeriesFilter(pattern="*:lmp"), [0, 2]),
        (SeriesFilter(pattern="inv*:4001:*"), [1, 2]),
        (SeriesFilter(pattern="inva"), []),
        (SeriesFilter(pattern=KEYS[5]), [5]),
        (SeriesFilter(pattern="*x_y*"), [6]),
        (SeriesFilter(pattern="*h_b*"), []),
        (SeriesFilter(pattern="*", source="inva"), [3, 4, 5, 6]),
        (SeriesFilter(pattern="*\U0010ffff"), []),
    ],
)
async def test_every_filter_must_match(stocked: Store, criteria: SeriesFilter, places: list[int]) -> None:
    assert await keys_of(stocked, criteria) == [KEYS[place] for place in places]


async def test_series_by_key_leaves_out_what_does_not_exist(stocked: Store) -> None:
    by_key = await stocked.catalog.series_by_key([KEYS[3], "inva:load:nowhere:load", KEYS[0], KEYS[3]])
    assert {key: str(series.key) for key, series in by_key.items()} == {KEYS[3]: KEYS[3], KEYS[0]: KEYS[0]}
    assert await stocked.catalog.series_by_key([]) == {}


@pytest.mark.parametrize(
    ("unknown_key", "closest"),
    [
        ("inva:load:Nort:load", "inva:load:North:load"),
        ("inva:wether:x_y:temperature", "inva:weather:x_y:temperature"),
        ("invb:prices:4001:congestion", "inv_b:prices:4001:congestion"),
    ],
)
async def test_the_nearest_keys_come_closest_first(stocked: Store, unknown_key: str, closest: str) -> None:
    nearest = await stocked.catalog.nearest_keys(unknown_key)
    assert nearest[0] == closest
    assert len(nearest) <= 5
    assert set(nearest) <= set(KEYS)


async def test_an_empty_store_has_no_nearest_keys(store: Store) -> None:
    assert await store.catalog.nearest_keys("inva:load:north:load") == ()


async def test_locations_count_their_series(stocked: Store) -> None:
    page = await stocked.catalog.locations_page(LocationFilter(source="inv_b"), after=None, limit=9)
    assert page == [
        LocationEntry("inv_b", ".HUB", "The Hub", "Trading-Hub", "INVB", "America/New_York", 1),
        LocationEntry("inv_b", "4001", "", "", "INVB", "America/New_York", 2),
    ]


@pytest.mark.parametrize("limit", [1, 2, 6])
async def test_pages_of_locations_give_every_location_once(stocked: Store, limit: int) -> None:
    seen: list[tuple[str, str]] = []
    while page := await stocked.catalog.locations_page(LocationFilter(), after=seen[-1] if seen else None, limit=limit):
        assert len(page) <= limit
        seen += [(entry.source, entry.location) for entry in page]
    assert seen == sorted({(SeriesKey.parse(key).source, SeriesKey.parse(key).location) for key in KEYS})


@pytest.mark.parametrize(
    ("market", "text", "locations"),
    [
        ("INVB", None, [".HUB", "4001"]),
        (None, "NORTH", ["North", "north"]),
        (None, "hub", [".HUB"]),
        (None, "load", []),
    ],
)
async def test_locations_are_filtered(stocked: Store, market: str | None, text: str | None, locations: list[str]) -> None:
    page = await stocked.catalog.locations_page(LocationFilter(market=market, text=text), after=None, limit=9)
    assert [entry.location for entry in page] == locations


async def test_dimensions_count_series_and_leave_out_what_is_not_said(stocked: Store) -> None:
    assert await stocked.catalog.dimensions() == {
        "source": {"inv_b": 3, "inva": 4},
        "dataset": {"load": 3, "prices": 3, "weather": 1},
        "market": {"INVB": 3},
        "measure": {"congestion": 1, "lmp": 2, "load": 3, "temperature": 1},
        "unit": {"MW": 3, "USD/MWh": 3, "degF": 1},
        "frequency": {"1h": 7},
        "location_type": {"Trading-Hub": 1},
        "kind": {"load": 3, "price": 3, "weather": 1},
        "market_run": {"day_ahead": 3},
        "fuel": {"wind": 1},
    }


async def test_an_empty_store_has_every_dimension_without_values(store: Store) -> None:
    dimensions = await store.catalog.dimensions()
    names = {"source", "dataset", "market", "measure", "unit", "frequency", "location_type", "kind", "market_run", "fuel"}
    assert dimensions == {name: {} for name in names}


def source(name: str, title: str = "Invented") -> SourceEntry:
    return SourceEntry(name, title, f"https://{name}.example", "free")


def dataset(of: str, name: str) -> DatasetEntry:
    return DatasetEntry(
        source=of,
        name=name,
        title="Load",
        zone="UTC",
        frequency="1h",
        measures=({"name": "load", "unit": "MW", "title": "Load"},),
        market="INV",
        reference="https://example.com/load",
        schedule="daily",
        freshness_hours=36.5,
        publication=({"rule": "at noon", "source": "a manual", "measures": ["load"], "per_issue": False},),
        is_forecast=True,
        details=("load_high",),
        order=2,
    )


async def test_declared_sources_and_datasets_come_back_in_order(store: Store) -> None:
    sources = [source("invb"), source("inva")]
    datasets = [dataset("invb", "load"), dataset("inva", "prices"), dataset("inva", "load")]
    await store.catalog_writer.declare(sources=sources, datasets=datasets, blocks=[])
    assert await store.catalog.sources() == [source("inva"), source("invb")]
    assert await store.catalog.datasets() == [datasets[2], datasets[1], datasets[0]]
    assert await store.catalog.datasets(source="invb") == [datasets[0]]
    assert await store.catalog.datasets(source="nobody") == []


async def test_a_repeated_declaration_replaces_and_takes_nothing_away(store: Store) -> None:
    datasets = [dataset("inva", "load"), dataset("inva", "prices")]
    await store.catalog_writer.declare(sources=[source("inva"), source("invb")], datasets=datasets, blocks=[])
    changed = replace(
        datasets[0], title="Metered load", market=None, freshness_hours=None, measures=(), publication=(), is_forecast=False
    )
    await store.catalog_writer.declare(sources=[source("inva", "Renamed")], datasets=[changed], blocks=[])
    assert await store.catalog.sources() == [source("inva", "Renamed"), source("invb")]
    assert await store.catalog.datasets() == [changed, datasets[1]]


async def test_declaring_nothing_changes_nothing(store: Store) -> None:
    await store.catalog_writer.declare(sources=[], datasets=[], blocks=[])
    assert (await store.catalog.sources(), await store.catalog.datasets(), await store.catalog.blocks()) == ([], [], [])


def block(calendar: str, name: str, title: str) -> dict[str, object]:
    return {"calendar": calendar, "name": name, "title": title, "windows": [{"days": ["mon"], "hours": [7, 8]}]}


async def test_blocks_are_replaced_unless_a_user_changed_them(
    store: Store, change_block: Callable[[str, str], Awaitable[None]]
) -> None:
    await store.catalog_writer.declare(
        sources=[],
        datasets=[],
        blocks=[block("INVB", "PEAK", "old"), block("INVA", "PEAK", "old"), block("INVA", "OFF", "old")],
    )
    await change_block("INVA", "PEAK")
    await store.catalog_writer.declare(
        sources=[], datasets=[], blocks=[block("INVA", "PEAK", "new"), block("INVB", "PEAK", "new")]
    )
    assert await store.catalog.blocks() == [
        block("INVA", "OFF", "old"),
        block("INVA", "PEAK", "old"),
        block("INVB", "PEAK", "new"),
    ]


async def test_shipped_blocks_survive_the_store(store: Store) -> None:
    shipped = {(block.calendar, block.name): block for block in default_blocks()}
    await store.catalog_writer.declare(sources=[], datasets=[], blocks=[block.to_document() for block in shipped.values()])
    back = [type(next(iter(shipped.values()))).from_document(document) for document in await store.catalog.blocks()]
    assert {(block.calendar, block.name): block for block in back} == shipped


async def test_series_are_found_by_a_label(store: Store) -> None:
    for location, labels in (("A", {"week": "undeclared"}), ("B", {"week": "flow"}), ("C", {})):
        await store.loader.load(file_load([(0, 1, 1.0)], key=f"invl:weeks:{location}:value", frequency="1w", labels=labels))
    undeclared = SeriesFilter("invl", label_name="week", label_value="undeclared")
    assert await keys_of(store, undeclared) == ["invl:weeks:A:value"]


async def test_the_nearest_keys_are_of_the_same_source_and_share_words(stocked: Store) -> None:
    assert await stocked.catalog.nearest_keys("inva:forecast:North:load") == (
        "inva:load:North:load",
        "inva:load:north:load",
        "inva:load:Ünterwald 100%:load",
        "inva:weather:x_y:temperature",
    )
    assert (await stocked.catalog.nearest_keys("inv_b:4001"))[0].startswith("inv_b:prices:4001:")
    for strange in ("", ":", ":::", "'", "a:b:\\:%"):
        assert len(await stocked.catalog.nearest_keys(strange)) <= 5


async def test_the_extent_of_a_dataset_is_that_of_its_series(store: Store) -> None:
    assert await store.catalog.dataset_extents() == {}
    await store.loader.load(file_load([(0, 1, 1.0), (5, 1, 1.0)], key="inva:load:A:load"))
    await store.loader.load(file_load([(-3, 1, 1.0)], key="inva:load:B:load"))
    await store.loader.load(file_load([(2, 1, 1.0)], key="invb:load:A:load"))
    assert await store.catalog.dataset_extents() == {
        ("inva", "load"): DatasetExtent(2, hour(-3), hour(5)),
        ("invb", "load"): DatasetExtent(1, hour(2), hour(2)),
    }


async def test_stored_places_without_a_name_get_that_of_the_table(store: Store) -> None:
    await stock(store)
    places = [PlaceName("inv_b", "4001", "Mill Creek", "node"), PlaceName("inv_b", ".HUB", "Other", "zone")]
    places.append(PlaceName("inva", "4001", "Elsewhere", "node"))
    before = {key: (await store.catalog.series_by_key([key]))[key].version for key in KEYS}
    for _ in range(2):
        await store.catalog_writer.declare(sources=[], datasets=[], blocks=[], places=places)
    after = await store.catalog.series_by_key(KEYS)
    named = {key: (one.spec.location_name, one.spec.location_type) for key, one in after.items() if one.spec.location_name}
    assert named == {
        "inv_b:prices:.HUB:lmp": ("The Hub", "Trading-Hub"),
        "inv_b:prices:4001:congestion": ("Mill Creek", "node"),
        "inv_b:prices:4001:lmp": ("Mill Creek", "node"),
    }
    raised = {key for key, one in after.items() if one.version != before[key]}
    assert raised == {"inv_b:prices:4001:congestion", "inv_b:prices:4001:lmp"}
