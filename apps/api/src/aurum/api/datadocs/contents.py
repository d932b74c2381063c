"""The contents of data docs: the suites of the contracts, with the stored results of their checks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from aurum.common.plugins import InstalledPlugin
from aurum.core.catalog.expectations import SuiteDocument, read_suite
from aurum.core.catalog.validations import Validation, ValidationEntry
from aurum.core.errors import NotFound
from aurum.storage.ports.quality import ValidationFilter, ValidationLog

_log = structlog.get_logger(__name__)

MOST_LISTED = 20
"""Number of checks on the page of a suite, and of failures on the first page."""


class UnknownSuite(NotFound):
    """A name that no suite and no stored check has. Facts: ``suite``."""


@dataclass(frozen=True, slots=True)
class SuiteState:
    """A suite and its latest check. ``document``: None when the contracts no longer have a suite of this
    name, or the name stands for several suites."""

    name: str
    document: SuiteDocument | None
    latest: ValidationEntry | None

    @property
    def is_mart(self) -> bool:
        """Whether the suite checks a mart, not a dataset."""
        if self.document is not None:
            return self.document.is_mart
        return self.latest is not None and self.latest.mart is not None


@dataclass(frozen=True, slots=True)
class Overview:
    """All suites by name, and the newest checks that failed."""

    suites: Sequence[SuiteState]
    failures: Sequence[ValidationEntry]


@dataclass(frozen=True, slots=True)
class SuiteView:
    """One suite: its latest check with all outcomes, and its newest checks."""

    state: SuiteState
    latest: Validation | None
    history: Sequence[ValidationEntry]


def read_documents(contracts: Path, plugins: Sequence[InstalledPlugin] = ()) -> Mapping[str, SuiteDocument]:
    """Return the suites of the contracts by name, those of marts included. Raises ``ValueError``, ``KeyError``.

    ``plugins``: installed sources outside Aurum, whose suites about their own datasets are added. One that cannot be read is
    left out: pipelines refuse its source and say why.
    """
    paths = sorted((contracts / "expectations").rglob("*.json"))
    documents = [read_suite(json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    own = {one.name: one for one in documents}
    about = {one.about for one in documents}
    theirs = [one for plugin in plugins for one in _of_plugin(plugin) if one.about not in about]
    return {**{one.name: one for one in theirs}, **own}


def _of_plugin(plugin: InstalledPlugin) -> Iterator[SuiteDocument]:
    paths = sorted((plugin.folder / "expectations").glob("*.json")) if plugin.folder is not None else []
    for path in paths:
        try:
            document = read_suite(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("suite_of_plugin_unreadable", package=plugin.package, file=path.name, error=repr(error))
            continue
        if document.about.startswith(f"{plugin.name}:"):
            yield document


async def overview(documents: Mapping[str, SuiteDocument], log: ValidationLog) -> Overview:
    """Return all suites and the newest failures. Raises ``Unavailable``."""
    latest = {one.suite: one for one in await log.latest_validations()}
    suites = [SuiteState(name, documents.get(name), latest.get(name)) for name in sorted({*documents, *latest})]
    failures = await log.validations_page(ValidationFilter(success=False), before=None, limit=MOST_LISTED)
    return Overview(suites, failures)


async def suite_view(name: str, documents: Mapping[str, SuiteDocument], log: ValidationLog) -> SuiteView:
    """Return one suite with its newest checks. Raises ``UnknownSuite``, ``Unavailable``."""
    history = await log.validations_page(ValidationFilter(suite=name), before=None, limit=MOST_LISTED)
    if name not in documents and not history:
        raise UnknownSuite(f"no suite {name!r}", suite=name)
    latest = await log.validation(history[0].validation_id) if history else None
    return SuiteView(SuiteState(name, documents.get(name), history[0] if history else None), latest, history)
