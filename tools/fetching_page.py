"""Writes the guide of fetching, ``docs/guides/fetching.md``: its tables come from the declarations of the sources."""

from __future__ import annotations

from pathlib import Path

from aurum.pipelines.fetch.turns import USUAL_S
from aurum.pipelines.public_files import Granularity, PublicFiles
from aurum.pipelines.registry import own_registry
from aurum.pipelines.source import Dataset, Source

PAGE = Path(__file__).resolve().parents[1] / "docs/guides/fetching.md"
_BEGINNING = """\
# Fetching from publishers

`aurum fetch` downloads the public files of a dataset for a range of local days and loads them:

```sh shown
.venv/bin/aurum fetch nyiso damlbmp_zone --from 2025-11-01 --to 2025-11-07
```

Without days it fetches what was published since the last fetch. Each publication is loaded before the next is
downloaded, so a command that ends early can be run again. A day that is not published yet is named and left out.
`--no-ingest` downloads only; `--out` names another folder than `fetched` in the data directory; `--force` downloads and
loads what was loaded before. The job `fetch.day` does the same for one day.

## What is requested

The fewest files that hold the wanted days: a month that is over and wanted whole comes from its archive where there is
one, and days whose own files are gone do too. Where one file holds a year or the whole history, it is requested once. A
file whose `ETag` or `Last-Modified` is that of the last one loaded is not sent again. When a file was made available is
its known time only if it holds a single day; the days of an archive or a history are dated by their [usual publication
times](publication-times.md).

A query has parts where one answer cannot hold them together: areas of ENTSO-E, series of EIA and FRED, types of PJM's
nodes. The tables below name how many are fetched; `AURUM_FETCH__PARTS` names others, by dataset or by source:

```sh shown
export AURUM_FETCH__PARTS='{"entsoe": ["10YFR-RTE------C"], "fred:observations": ["CPIAUCSL", "GDPC1"],
  "eia:api_daily": ["petroleum/pri/spt:series=RWTC"], "pjm:da_hrl_lmps": ["HUB", "ZONE"]}'
```

## Proven and unproven

Addresses are written from the documents of the publishers, which each table names. An address is `unproven` until a
file from it has been loaded into this store. `aurum sources SOURCE` and `GET /v2/catalog/datasets` show the state of
each dataset.

## Keys

A key is a setting. It is sent to the host of the address only, and is in no log, error, trace, file name or stored
file. Without it the command ends with the name of the setting and the address at which a key is requested.

<KEYS>

A source outside Aurum declares its own; its key is an entry of `AURUM_FETCH__KEYS`, such as `{"acme": "..."}`.

## Politeness

Requests to one host begin at least this long apart, for all processes of a machine that share a data directory. Hosts
that are not listed have <USUAL> seconds, Aurum's own choice. `AURUM_FETCH__SECONDS_BETWEEN` sets other times, such as
`{"api.pjm.com": 0.2}` for a member of PJM, or a multiple where several machines share a key.

<POLITENESS>

A request that fails in a way that may pass (no connection, status 408, 425, 429 or 5xx, an answer that is cut off or
empty) is made again up to `AURUM_FETCH__TRIES` times, with growing waits or the one that `Retry-After` names, which
holds all downloads from the host. A wait of more than a minute ends the download, and those from the host that begin
within it, for at most an hour. A file has `AURUM_FETCH__WHOLE_S` seconds.

An answer without data ends with a reason and is not stored: a page where a file was wanted, an archive without its end,
a document that says why there is none. Redirects are followed five times, without the key on another host, and from a
public host never to a loopback, private or link-local address unless `AURUM_FETCH__ALLOW_PRIVATE` is set.

Downloads use the proxy of `AURUM_FETCH__PROXY`, and without it that of the variables `HTTPS_PROXY`, `HTTP_PROXY` and
`NO_PROXY`.

## What each source offers

The column *file* is what the file for a single day holds; *months too*: whole months come from archives.
"""
_WORDS = {
    Granularity.DAY: "the day",
    Granularity.MONTH: "its month",
    Granularity.YEAR: "its year",
    Granularity.HISTORY: "the history",
    Granularity.QUERY: "a query",
}


def page() -> str:
    """Return the guide with a table of what each source offers."""
    sources = own_registry().sources
    tables = {"KEYS": _keys(sources), "POLITENESS": _politeness(sources), "USUAL": f"{USUAL_S:g}"}
    beginning = _BEGINNING
    for mark, text in tables.items():
        beginning = beginning.replace(f"<{mark}>", text)
    return "\n".join((beginning, *(_table(source) for source in sources)))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def _keys(sources: tuple[Source, ...]) -> str:
    declared = {
        files.needs: (source.title, files.keyless is not None)
        for source in sources
        for files in source.files.values()
        if files.needs is not None
    }
    rows = [
        f"| {title} | `{needs.setting}` | {'optional' if is_optional else 'needed'} | {needs.where} |"
        for needs, (title, is_optional) in declared.items()
    ]
    return "\n".join(("| publisher | setting | | where to request one |", "|---|---|---|---|", *rows))


def _politeness(sources: tuple[Source, ...]) -> str:
    rules = dict.fromkeys(rule for source in sources for rule in source.politeness)
    rows = [f"| `{rule.host}` | {rule.seconds:g} | {rule.source} |" for rule in rules]
    return "\n".join(("| host | seconds | source |", "|---|---|---|", *rows))


def _table(source: Source) -> str:
    rows = [_row(source, dataset, source.public_files(dataset.name)) for dataset in source.datasets]
    header = ("| dataset | file | key | from |", "|---|---|---|---|")
    return "\n".join((f"### {source.title}", "", *header, *rows, ""))


def _row(source: Source, dataset: Dataset, files: PublicFiles | None) -> str:
    name = f"`{dataset.source}:{dataset.name}`"
    if files is None:
        return f"| {name} | none | | {source.without_files.get(dataset.name, '')} |"
    manual = files.manual + (f"; without the key: {files.keyless.manual}" if files.keyless is not None else "")
    return f"| {name} | {_file(files)} | {_key(files)} | {manual} |"


def _file(files: PublicFiles) -> str:
    words = _WORDS[files.granularity]
    if files.query is not None and files.query.parts != ("",):
        count = len(files.query.parts)
        words += f" for each of {count} parts" if count > 1 else " for one part"
    return words + (", months too" if files.month is not None and files.day is not None else "")


def _key(files: PublicFiles) -> str:
    if files.needs is None:
        return ""
    return f"`{files.needs.name}`" + (", optional" if files.keyless is not None else "")


if __name__ == "__main__":
    main()
