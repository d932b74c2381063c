"""The response to a request for observations of one series."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import ONE_LATEST, at_present, latest_of, question_of, read, series_query
from aurum.api.handlers.services import services
from aurum.api.observations.pictures import checked_picture, picture_response
from aurum.api.observations.private import reading_of
from aurum.api.observations.respond import based_response, not_modified, resolve_request, series_response
from aurum.core.series.model import Series
from aurum.services.observations import make_plan
from aurum.storage.ports.catalog import Catalog


async def answer_one(
    request: Request, series_named: Callable[[Catalog, str], Awaitable[Series]], key: str, *, latest: bool = False
) -> Response:
    """Return the response to a query with the parameters ``ONE_SERIES``. ``series_named``: finds the series of a key.

    ``latest``: the last row, with the parameters ``ONE_LATEST``. Raises ``InvalidParameters``, ``UnknownName``,
    ``TooManyPoints``.
    """
    if latest:
        query = request.query_params
        arguments: Mapping[str, str] = read(query, ONE_LATEST)
        question = latest_of(question_of(arguments))
    else:
        query, arguments, question = series_query(request.scope["query_string"])
    reading = reading_of(request, [key])
    series = await series_named(reading.catalog, key)
    plan = await make_plan(at_present(question, services(request).clock.now()), [series], reading.catalog)
    resolved = await resolve_request(request, query, reading, [series], plan, arguments, "rows", pictures=not latest)
    picture = None if latest else checked_picture(resolved)
    if (unchanged := not_modified(resolved)) is not None:
        return unchanged
    if picture is not None:
        return await picture_response(resolved, picture)
    return await (based_response(resolved) if arguments.get("basis") == "true" else series_response(resolved))
