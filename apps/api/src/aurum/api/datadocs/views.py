"""The bodies of the pages of data docs. All texts of files and suites are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Protocol

from aurum.api.datadocs.contents import Overview, SuiteState, SuiteView
from aurum.api.pages.html import definitions, link, number, table
from aurum.core.catalog.expectations import Expectation
from aurum.core.catalog.validations import ExpectationOutcome, Validation, ValidationEntry


class Links(Protocol):
    """The addresses of pages, as seen from the page with the link."""

    @property
    def home(self) -> str: ...

    def suite(self, name: str) -> str: ...

    def validation(self, validation_id: int) -> str: ...


def overview_page(shown: Overview, links: Links) -> str:
    """Return the body of the first page: all suites with their latest checks, and the latest failures."""
    marts = [one for one in shown.suites if one.is_mart]
    datasets = [one for one in shown.suites if not one.is_mart]
    failures = _history(shown.failures, links, named=True) if shown.failures else "<p>No stored check has failed.</p>"
    return f"""<main class="wide">
<h1>Data docs</h1>
<p class="lead">The expectations of every dataset and mart, and the results of the latest checks. Files are checked when they
are loaded, marts after they are built.</p>
{_tally(shown.suites)}
<section><h2 id="failures">Latest failures</h2>{failures}</section>
<section><h2 id="marts">Marts</h2>{_suites(marts, links)}</section>
<section><h2 id="datasets">Datasets</h2>{_suites(datasets, links)}</section>
</main>"""


def suite_page(shown: SuiteView, links: Links) -> str:
    """Return the body of the page of one suite: its expectations with their latest outcomes, and its checks."""
    state = shown.state
    outcomes = {_identity(one.expectation, one.kwargs): one for one in shown.latest.outcomes} if shown.latest else {}
    expected = (
        _expected(state.document.expectations, outcomes)
        if state.document is not None
        else "<p>The contracts have no suite of this name.</p>"
    )
    history = _history(shown.history, links) if shown.history else "<p>It has not been checked yet.</p>"
    about = state.document.about if state.document is not None else state.name
    kind = "Mart" if state.is_mart else "Dataset"
    return f"""<main class="wide">
<p class="crumbs"><a href="{escape(links.home)}">Data docs</a> · {kind} · {_verdict(state.latest)}</p>
<h1>{escape(about)}</h1>
<section><h2 id="expectations">Expectations</h2>{expected}</section>
<section><h2 id="checks">Checks</h2>{history}</section>
</main>"""


def validation_page(shown: Validation, links: Links) -> str:
    """Return the body of the page of one check: its subject and time, and the outcome of each expectation."""
    entry = shown.entry
    broken = [one for one in shown.outcomes if not one.success]
    samples = "".join(map(_sample, (one for one in broken if one.sample)))
    reason = f'<p class="notice bad">{escape(entry.reason)}</p>' if entry.reason else ""
    examples = f"<h2>Rows that broke them</h2>{samples}" if samples else ""
    return f"""<main class="wide">
<p class="crumbs"><a href="{escape(links.home)}">Data docs</a> ·
<a href="{escape(links.suite(entry.suite))}">{escape(entry.suite)}</a> · {_verdict(entry)}</p>
<h1>{escape(_subject(entry))}</h1>
{reason}
{_facts(entry)}
<section><h2 id="expectations">Expectations</h2>{_outcomes(shown.outcomes)}</section>
<section id="samples">{examples}</section>
</main>"""


def _tally(suites: Sequence[SuiteState]) -> str:
    checked = [one.latest for one in suites if one.latest is not None]
    good = sum(one.success and not one.warned for one in checked)
    warned = sum(one.success and one.warned > 0 for one in checked)
    cells = (
        ("Suites", len(suites), ""),
        ("Hold", good, "ok"),
        ("Hold, with warnings", warned, "warn"),
        ("Failed", len(checked) - good - warned, "bad"),
        ("Not checked yet", len(suites) - len(checked), ""),
    )
    items = "".join(f'<li><b class="{kind}">{count:,}</b> {name}</li>' for name, count, kind in cells)
    return f'<ul class="tally">{items}</ul>'


def _suites(suites: Sequence[SuiteState], links: Links) -> str:
    rows = (
        (
            link(links.suite(one.name), one.document.about if one.document is not None else one.name),
            _verdict(one.latest),
            number(len(one.document.expectations)) if one.document is not None else "",
            number(one.latest.rows) if one.latest is not None else "",
            number(one.latest.failed) if one.latest is not None else "",
            number(one.latest.warned) if one.latest is not None else "",
            _when(one.latest, links),
        )
        for one in suites
    )
    return table(("Suite", "", "#Expectations", "#Rows", "#Failed", "#Warned", "Latest check"), rows)


def _history(entries: Iterable[ValidationEntry], links: Links, *, named: bool = False) -> str:
    rows = (
        (
            _when(one, links),
            _verdict(one),
            link(links.suite(one.suite), _about(one)) if named else "",
            escape(one.file_name or one.run_id or ""),
            number(one.rows),
            number(one.failed),
            number(one.warned),
            escape(one.reason),
        )
        for one in entries
    )
    headers = ("When", "", "Subject" if named else "", "File or build", "#Rows", "#Failed", "#Warned", "Reason")
    shown = [place for place, header in enumerate(headers) if header or place == 1]
    return table([headers[place] for place in shown], ([row[place] for place in shown] for row in rows))


def _expected(expectations: Iterable[Expectation], outcomes: Mapping[str, ExpectationOutcome]) -> str:
    def row(one: Expectation) -> tuple[str, ...]:
        outcome = outcomes.get(_identity(one.kind, one.kwargs))
        return (
            _mark(outcome.success, outcome.severity) if outcome is not None else "",
            _worded(one.wording, one.why),
            _severity(one.severity),
            number(outcome.evaluated) if outcome is not None else "",
            _broken(outcome) if outcome is not None else "",
        )

    return table(("Latest", "Expectation", "", "#Rows", "#Broken"), map(row, expectations))


def _outcomes(outcomes: Iterable[ExpectationOutcome]) -> str:
    rows = (
        (
            _mark(one.success, one.severity),
            _worded(one.wording, one.why),
            _severity(one.severity),
            number(one.evaluated),
            _broken(one),
        )
        for one in outcomes
    )
    return table(("", "Expectation", "", "#Rows", "#Broken"), rows)


def _sample(one: ExpectationOutcome) -> str:
    columns = list(one.sample[0])
    rows = ([escape(_cell(row.get(column))) for column in columns] for row in one.sample)
    shown = len(one.sample)
    more = f" The first {shown} of {one.unexpected:,}." if one.unexpected and one.unexpected > shown else ""
    return f"<h3>{escape(one.wording)}</h3><p>{escape(one.why)}{more}</p>" + table([escape(name) for name in columns], rows)


def _facts(entry: ValidationEntry) -> str:
    return definitions(
        (
            ("Checked", f"{entry.validated_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("File", entry.file_name),
            ("Build", entry.run_id),
            ("Rows", number(entry.rows)),
            ("Expectations", number(entry.expectations)),
            ("Failed", number(entry.failed)),
            ("Warned", number(entry.warned)),
        )
    )


def _verdict(entry: ValidationEntry | None) -> str:
    if entry is None:
        return '<span class="verdict">not checked</span>'
    if not entry.success:
        return f'<span class="verdict bad">{"refused" if entry.reason and entry.mart is None else "failed"}</span>'
    return '<span class="verdict warn">warnings</span>' if entry.warned else '<span class="verdict ok">holds</span>'


def _mark(success: bool, severity: str) -> str:
    if success:
        return '<span class="verdict ok">holds</span>'
    return f'<span class="verdict {"bad" if severity == "critical" else "warn"}">broken</span>'


def _severity(severity: str) -> str:
    return f'<span class="kind">{escape(severity)}</span>'


def _worded(wording: str, why: str) -> str:
    return escape(wording) + (f"<small>{escape(why)}</small>" if why else "")


def _broken(one: ExpectationOutcome) -> str:
    return number(one.unexpected) if one.unexpected is not None else escape(one.observed or "")


def _when(entry: ValidationEntry | None, links: Links) -> str:
    return link(links.validation(entry.validation_id), f"{entry.validated_at:%Y-%m-%d %H:%M}") if entry is not None else ""


def _about(entry: ValidationEntry) -> str:
    return entry.mart or f"{entry.source}:{entry.dataset}"


def _subject(entry: ValidationEntry) -> str:
    return f"{_about(entry)}, {entry.file_name}" if entry.file_name else _about(entry)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _identity(kind: str, kwargs: Mapping[str, Any]) -> str:
    return repr((kind, sorted(kwargs.items(), key=lambda item: item[0])))
