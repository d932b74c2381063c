"""The drawing process: started at the first picture, restarted after a crash, bounded in time, memory and queue."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from aurum.api.pictures.drawer import Drawer, Picture
from aurum.api.pictures.form import PictureForm, picture_form
from aurum.charts import BarChart, Caption, Line, LineChart, PictureFormat, draw
from aurum.core.errors import Invalid, InvalidParameters, Unavailable
from aurum.storage.testing.waiting import wait_until_blocking

pytestmark = pytest.mark.needs_process

FORM = picture_form(None, None, None)
SVG, PNG = PictureFormat.SVG, PictureFormat.PNG


def chart(title: str = "a") -> BarChart:
    return BarChart(Caption(title), (("one", 1.0), ("two", -2.0)))


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the first process has found out about fonts, for all tests of a session."""
    return tmp_path_factory.mktemp("fonts")


@pytest_asyncio.fixture(loop_scope="session")
async def drawer(fonts: Path) -> AsyncIterator[Drawer]:
    made = Drawer(fonts, deadline_s=120)
    yield made
    await made.close()


async def test_the_process_starts_at_the_first_picture_and_draws_what_this_one_would(drawer: Drawer) -> None:
    assert drawer.pid is None
    assert (await drawer.draw(chart(), FORM, SVG, key=("a",))).content == draw(chart(), SVG)
    first = drawer.pid
    assert (await drawer.draw(chart("b"), FORM, PNG, key=("b",))).content == draw(chart("b"), PNG)
    assert drawer.pid == first is not None


async def test_a_picture_is_drawn_once_for_each_key(drawer: Drawer) -> None:
    picture = await drawer.draw(chart(), FORM, SVG, key=("a", "acme"), points=24)
    assert picture.points == 24
    assert drawer.cached(("a", "acme")) is picture
    assert drawer.cached(("a", "bolt")) is None
    assert await drawer.draw(chart("other"), FORM, SVG, key=("a", "acme")) is picture


async def test_after_its_process_was_killed_the_next_picture_is_drawn_by_another(drawer: Drawer) -> None:
    await drawer.draw(chart(), FORM, SVG, key=(1,))
    killed = drawer.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert (await drawer.draw(chart(), FORM, SVG, key=(2,))).content == draw(chart(), SVG)
    assert drawer.pid not in (None, killed)


async def test_a_chart_without_values_is_refused_and_ends_nothing(drawer: Drawer) -> None:
    with pytest.raises(Invalid, match="no bar"):
        await drawer.draw(BarChart(Caption(""), ()), FORM, SVG, key=(1,))
    first = drawer.pid
    await drawer.draw(chart(), FORM, SVG, key=(2,))
    assert drawer.pid == first


async def test_a_picture_that_takes_too_long_is_given_up_and_its_process_ended(fonts: Path) -> None:
    slow = Drawer(fonts, deadline_s=0.01)
    try:
        with pytest.raises(Unavailable, match=r"within 0.01 seconds") as refused:
            await slow.draw(chart(), FORM, SVG, key=(1,))
        assert refused.value.retry_after is not None
        assert slow.pid is None
    finally:
        await slow.close()


async def test_a_process_that_takes_too_much_memory_ends_and_the_next_picture_is_drawn(fonts: Path) -> None:
    small = Drawer(fonts, deadline_s=120, memory_bytes=64 << 20)  # less than the interpreter and NumPy need
    try:
        with pytest.raises(Unavailable, match="could not be drawn"):
            await small.draw(chart(), FORM, SVG, key=(1,))
    finally:
        await small.close()


async def test_without_a_folder_for_its_fonts_a_picture_is_unavailable_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    drawer = Drawer(tmp_path / "file" / "fonts")
    with pytest.raises(Unavailable, match="data folder"):
        await drawer.draw(chart(), FORM, SVG, key=(1,))


async def test_more_pictures_than_may_wait_are_refused(fonts: Path) -> None:
    drawer = Drawer(fonts, deadline_s=120, most_waiting=2)
    try:
        drawn = await asyncio.gather(
            *(drawer.draw(chart(str(number)), FORM, SVG, key=(number,)) for number in range(4)), return_exceptions=True
        )
        assert [type(one) for one in drawn] == [Picture, Picture, Unavailable, Unavailable]
        assert isinstance(await drawer.draw(chart(), FORM, SVG, key=("later",)), Picture)
    finally:
        await drawer.close()


async def test_requests_for_one_picture_at_the_same_time_are_drawn_once(fonts: Path) -> None:
    drawer = Drawer(fonts, deadline_s=120, most_waiting=1)
    try:
        first, *others = [asyncio.create_task(drawer.draw(chart(), FORM, SVG, key=("a",))) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        one, other = await asyncio.gather(*others)
        assert one is other
        assert drawer.cached(("a",)) is one
    finally:
        await drawer.close()


async def test_a_picture_that_fails_is_drawn_anew(drawer: Drawer) -> None:
    refused = [drawer.draw(BarChart(Caption(""), ()), FORM, SVG, key=("a",)) for _ in range(2)]
    assert [type(one) for one in await asyncio.gather(*refused, return_exceptions=True)] == [Invalid, Invalid]
    assert (await drawer.draw(chart(), FORM, SVG, key=("a",))).content == draw(chart(), SVG)


async def test_a_client_that_leaves_does_not_disturb_the_next_picture(drawer: Drawer) -> None:
    leaving = asyncio.create_task(drawer.draw(chart("left"), FORM, SVG, key=(1,)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await drawer.draw(chart(), FORM, SVG, key=(2,))).content == draw(chart(), SVG)


async def test_closing_ends_the_process(fonts: Path) -> None:
    drawer = Drawer(fonts, deadline_s=120)
    await drawer.draw(chart(), FORM, SVG, key=(1,))
    pid = drawer.pid
    await drawer.close()
    assert drawer.pid is None
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


_PARENT = """
import asyncio, sys
from pathlib import Path
from aurum.api.pictures.drawer import Drawer
from aurum.api.pictures.form import picture_form
from aurum.charts import BarChart, Caption, PictureFormat

async def main():
    drawer = Drawer(Path(sys.argv[1]), deadline_s=120)
    await drawer.draw(BarChart(Caption(""), (("one", 1.0),)), picture_form(None, None, None), PictureFormat.SVG, key=(1,))
    print(drawer.pid, "matplotlib" in sys.modules, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_the_process_ends_with_a_parent_that_is_killed_and_matplotlib_is_in_it_alone(fonts: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT, str(fonts)], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            pid, has_matplotlib = parent.stdout.readline().split()
            assert has_matplotlib == "False"
            os.kill(int(pid), 0)
        finally:
            parent.kill()

    def has_ended() -> bool:
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z"

    wait_until_blocking(has_ended)


def test_a_large_chart_is_drawn_within_the_memory_of_the_process(fonts: Path) -> None:
    count = 200_000
    starts = np.arange(count, dtype=np.int64) * 3_600_000_000
    large = LineChart(Caption("large"), (Line("", starts, starts + 3_600_000_000, np.sin(np.arange(count) / 50)),))

    async def drawn() -> bytes:
        drawer = Drawer(fonts, deadline_s=120)
        try:
            form = PictureForm(picture_form(3840, 2160, None).size, FORM.theme, None)
            return (await drawer.draw(large, form, PNG, key=(1,))).content
        finally:
            await drawer.close()

    assert asyncio.run(drawn()).startswith(b"\x89PNG")


def test_the_form_of_a_picture_goes_with_pictures_alone() -> None:
    picture_form(None, None, None).check_format(is_picture=False)
    picture_form(400, None, None).check_format(is_picture=True)
    with pytest.raises(InvalidParameters, match="height"):
        picture_form(None, 300, None).check_format(is_picture=False)
