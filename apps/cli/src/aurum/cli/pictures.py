"""Pictures that commands write as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aurum.charts import Chart, PictureFormat, Size

Out = Annotated[
    Path | None, typer.Option("--out", help="Write a picture to this file, .svg or .png. Default: print to the terminal.")
]
Width = Annotated[int | None, typer.Option("--width", min=320, max=3840, help="Width of the picture in pixels. Default: 960.")]
Height = Annotated[
    int | None, typer.Option("--height", min=240, max=2160, help="Height of the picture in pixels. Default: 540.")
]


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file that a picture is written to."""

    path: Path
    format: PictureFormat
    size: Size


def picture_file(out: Path | None, width: int | None, height: int | None, *, as_json: bool = False) -> PictureFile | None:
    """Return the file that options name; None: they name none. Raises ``InvalidParameters``."""
    from aurum.charts import PictureFormat, Size
    from aurum.core.errors import InvalidParameters

    if out is None:
        for option, value in (("--width", width), ("--height", height)):
            if value is not None:
                raise InvalidParameters((option, "applies to a file: name one with --out, or leave it out", value))
        return None
    if as_json:
        raise InvalidParameters(("--json", "does not go with --out: leave one of them out", str(out)))
    form = out.suffix.removeprefix(".").lower()
    if form not in list(PictureFormat):
        raise InvalidParameters(("--out", "must end with .svg or .png", str(out)))
    if not out.parent.is_dir():
        raise InvalidParameters(("--out", f"the folder {out.parent} does not exist: create it first", str(out)))
    return PictureFile(out, PictureFormat(form), Size(width or Size().width, height or Size().height))


def write_picture(chart: Chart, file: PictureFile) -> None:
    """Draw a chart into a file, and print its name. Raises ``InvalidParameters`` where it cannot be written."""
    from aurum.charts import draw
    from aurum.core.errors import InvalidParameters

    picture = draw(chart, file.format, file.size)
    try:
        file.path.write_bytes(picture)
    except OSError as error:
        raise InvalidParameters(("--out", f"cannot be written: {error.strerror}", str(file.path))) from error
    print(f"{file.path}  {len(picture):,} bytes")
