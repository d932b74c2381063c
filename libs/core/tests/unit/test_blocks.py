import json

import pytest

from aurum.core.calendars import Block, Holidays, InvalidBlock, Window, default_blocks
from aurum.core.errors import Invalid, UnknownName

SUPER_PEAK = {
    "calendar": "desk",
    "name": "SUPER_PEAK",
    "zone": "America/Los_Angeles",
    "holidays": "nerc",
    "windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "hours": [[17, 21]]}, {"days": ["sat"], "hours": [[18, 19]]}],
}


def test_document_becomes_a_block() -> None:
    block = Block.from_document(SUPER_PEAK)
    assert block.holidays is Holidays.NERC
    assert block.windows[0] == Window(("mon", "tue", "wed", "thu", "fri"), (17, 18, 19, 20, 21))
    assert len(block.slots) == 5 * 5 + 2


def test_days_or_hours_left_out_are_all_of_them() -> None:
    assert len(Block.from_document(SUPER_PEAK | {"windows": [{}]}).slots) == 8 * 24


def test_complement_is_everything_else() -> None:
    block, rest = Block.from_document(SUPER_PEAK), Block.from_document(SUPER_PEAK | {"complement": True})
    assert not block.slots & rest.slots
    assert len(block.slots | rest.slots) == 8 * 24


def test_order_and_repetition_in_a_document_do_not_matter() -> None:
    windows = [{"days": ["sun", "sat", "sun"], "hours": [[24, 24], [1, 3], [2, 4]]}]
    block = Block.from_document(SUPER_PEAK | {"windows": windows})
    assert block.windows == (Window(("sat", "sun"), (1, 2, 3, 4, 24)),)
    assert block.to_document()["windows"] == [{"days": ["sat", "sun"], "hours": [[1, 4], [24, 24]]}]


@pytest.mark.parametrize("block", default_blocks(), ids=lambda block: f"{block.calendar}:{block.name}")
def test_every_default_block_survives_json(block: Block) -> None:
    assert Block.from_document(json.loads(json.dumps(block.to_document()))) == block


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"calendar": None}, "calendar"),
        ({"holidays": "bavaria"}, "holidays"),
        ({"complement": "yes"}, "complement"),
        ({"aliases": "5x16"}, "aliases"),
        ({"aliases": [516]}, "aliases"),
        ({"windows": []}, "windows"),
        ({"windows": "all"}, "windows"),
        ({"windows": ["all"]}, "windows"),
        ({"windows": [{"weekdays": ["mon"]}]}, "windows.0"),
        ({"windows": [{"days": ["monday"]}]}, "windows.0.days"),
        ({"windows": [{"days": []}]}, "windows.0.days"),
        ({"windows": [{"hours": []}]}, "windows.0.hours"),
        ({"windows": [{"hours": [8, 23]}]}, "windows.0.hours"),
        ({"windows": [{"hours": [[0, 23]]}]}, "windows.0.hours"),
        ({"windows": [{"hours": [[8, 25]]}]}, "windows.0.hours"),
        ({"windows": [{"hours": [[23, 8]]}]}, "windows.0.hours"),
        ({"windows": [{"hours": [["8", "23"]]}]}, "windows.0.hours"),
        ({"windows": [{}], "complement": True}, "windows"),
        ({"colour": "red"}, "document"),
    ],
)
def test_document_that_describes_no_block_is_refused_by_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidBlock) as caught:
        Block.from_document(SUPER_PEAK | change)
    assert caught.value.facts["field"] == field
    assert isinstance(caught.value, Invalid)


@pytest.mark.parametrize("field", ["calendar", "name", "zone"])
def test_missing_member_is_named(field: str) -> None:
    with pytest.raises(InvalidBlock, match=f"{field}: is missing"):
        Block.from_document({key: value for key, value in SUPER_PEAK.items() if key != field})


def test_unknown_zone_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        Block.from_document(SUPER_PEAK | {"zone": "America/LosAngeles"})
    assert "America/Los_Angeles" in caught.value.nearest
