"""The form of a picture, as parameters of a request choose it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from aurum.charts import Size, Theme
from aurum.core.errors import InvalidParameters

Format = Annotated[
    Literal["json", "ndjson", "csv", "arrow", "parquet", "svg", "png"] | None,
    Query(
        description="Format of the response; takes precedence over the `Accept` header. `svg` and `png` draw the answer. "
        "Default: by `Accept`, else `json`."
    ),
]
WIDEST, TALLEST = 3_840, 2_160
NARROWEST, LOWEST = 320, 240
WIDTH_TEXT = f"Width of a picture in pixels, {NARROWEST} to {WIDEST}. Default: 960."
HEIGHT_TEXT = f"Height of a picture in pixels, {LOWEST} to {TALLEST}. Default: 540."
THEME_TEXT = "Colours of a picture: `light`, dark on white, or `dark`. Default: `light`."
Width = Annotated[int | None, Query(ge=NARROWEST, le=WIDEST, description=WIDTH_TEXT, examples=[1200])]
Height = Annotated[int | None, Query(ge=LOWEST, le=TALLEST, description=HEIGHT_TEXT, examples=[675])]
ThemeName = Annotated[Theme | None, Query(description=THEME_TEXT, examples=["light"])]


class PictureBody(BaseModel):
    """The members of a body that choose the format of a response and the form of a picture."""

    format: Literal["json", "ndjson", "csv", "arrow", "parquet", "svg", "png"] | None = Field(
        None, description="Format of the response; `svg` and `png` draw the answer. Default: by `Accept`, else `json`."
    )
    layout: Literal["rows", "columns"] = Field("rows", description="Layout of a JSON document.")
    width: int | None = Field(None, strict=True, ge=NARROWEST, le=WIDEST, description=WIDTH_TEXT, examples=[1200])
    height: int | None = Field(None, strict=True, ge=LOWEST, le=TALLEST, description=HEIGHT_TEXT, examples=[675])
    theme: Theme | None = Field(None, description=THEME_TEXT, examples=["light"])

    @property
    def picture(self) -> PictureForm:
        """The form of a picture that the body chooses."""
        return picture_form(self.width, self.height, self.theme)


PICTURE_ONLY = "applies to pictures alone: request format svg or png, or leave it out"


@dataclass(frozen=True, slots=True)
class PictureForm:
    """The form of a picture. ``named``: the first parameter of the request that chose some of it, with its value."""

    size: Size
    theme: Theme
    named: tuple[str, object] | None

    def check_format(self, *, is_picture: bool) -> None:
        """Raise ``InvalidParameters`` where a request chooses the form of a picture, and another format."""
        if self.named is not None and not is_picture:
            name, value = self.named
            raise InvalidParameters((name, PICTURE_ONLY, value))

    def also(self, name: str, value: object) -> PictureForm:
        """Return the form with a further parameter of the request that applies to pictures alone; None: it was not sent."""
        return self if self.named is not None or value is None else replace(self, named=(name, value))


def picture_form(width: int | None, height: int | None, theme: Theme | None) -> PictureForm:
    """Return the form that parameters choose."""
    chosen = {"width": width, "height": height, "theme": theme}
    named = next(((name, value) for name, value in chosen.items() if value is not None), None)
    size = Size(width or Size().width, height or Size().height)
    return PictureForm(size, theme or Theme.LIGHT, named)
