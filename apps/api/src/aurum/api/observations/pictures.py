"""Pictures of observations of one series."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from aurum.api.contract.params import picture_of
from aurum.api.encoding.negotiate import PICTURES
from aurum.api.http.problems import InvalidParameters
from aurum.api.http.request_state import state_of
from aurum.api.observations.respond import ObservationsRequest, WholeResponse, collected_frame
from aurum.api.pictures.form import PictureForm
from aurum.api.pictures.headers import picture_headers
from aurum.charts import PictureFormat
from aurum.services.observations.charts import series_chart

_NOT_DRAWN = ("layout", "columns", "basis")


def checked_picture(resolved: ObservationsRequest) -> PictureForm | None:
    """Return the form of the requested picture; None: the requested format is none. Raises ``InvalidParameters``."""
    arguments = dict(resolved.query)
    form = picture_of(arguments)
    form.check_format(is_picture=resolved.format in PICTURES)
    if resolved.format not in PICTURES:
        return None
    for name in _NOT_DRAWN:
        if name in arguments:
            raise InvalidParameters((name, "does not apply to a picture: request another format", arguments[name]))
    return form


async def picture_response(resolved: ObservationsRequest, form: PictureForm) -> Response:
    """Return the response with a picture of the observations of one series. Raises ``InvalidParameters`` without a value."""
    state, drawer = state_of(resolved.request.scope), resolved.services.drawer
    key = (resolved.tag, state.caller.tenant if state.is_private else None)
    picture = drawer.cached(key)
    if picture is None:
        frame = await collected_frame(resolved)
        chart = await asyncio.to_thread(series_chart, resolved.series[0], resolved.plan, frame)
        picture = await drawer.draw(chart, form, PictureFormat(resolved.format), key=key, points=frame.height)
    headers = {**resolved.headers, **picture_headers(resolved.request.url.path, resolved.format)}
    return WholeResponse(picture.content, headers, PICTURES[resolved.format], picture.points)
