"""The query engine: observations of series in a span, as of an instant, resampled, by block, in another unit or currency.

    reading = Reading(store.catalog, store.reader, store.partials)
    series = await series_of(reading.catalog, "nyiso:damlbmp_zone:61761:lmp")
    answer = await read_one(reading, series, Question(start="2025-11-02", end="2025-11-03", tz="market", block="ON_PEAK"))

question     the question as a caller states it    plan         the question resolved against its series
lookup       series by key, pattern and filter     complexity   estimate of the size, before anything is read
forecasts    leads and issues                           rows         the rows that a plan transforms
transform    block, unit, currency and step        rates        exchange rates
hours        daily and longer steps from hourly sums
batches      answers in bounded memory             planned      reads of a resolved plan
answers      all steps in one call                first_rows   the first rows of each series
side_by_side several measures of a location in one row  sparklines  the last observations of each series of a list
"""

from aurum.services.observations.answers import Answer, StreamedAnswer, read_many, read_one, revisions, stream_many
from aurum.services.observations.batches import MANY_WITH_END, columns_of_many
from aurum.services.observations.complexity import TooManyPoints
from aurum.services.observations.forecasts import UnknownIssue
from aurum.services.observations.lookup import all_series_of, selected_series, series_of
from aurum.services.observations.plan import ReadPlan, known_span, make_plan, parse_as_of, parse_known
from aurum.services.observations.planned import MOST_VINTAGES, WITH_END, Vintages, read_vintages
from aurum.services.observations.question import Question
from aurum.services.observations.reading import Reading
from aurum.services.observations.side_by_side import read_side_by_side
from aurum.services.observations.transform import unit_of

__all__ = [
    "MANY_WITH_END",
    "MOST_VINTAGES",
    "WITH_END",
    "Answer",
    "Question",
    "ReadPlan",
    "Reading",
    "StreamedAnswer",
    "TooManyPoints",
    "UnknownIssue",
    "Vintages",
    "all_series_of",
    "columns_of_many",
    "known_span",
    "make_plan",
    "parse_as_of",
    "parse_known",
    "read_many",
    "read_one",
    "read_side_by_side",
    "read_vintages",
    "revisions",
    "selected_series",
    "series_of",
    "stream_many",
    "unit_of",
]
