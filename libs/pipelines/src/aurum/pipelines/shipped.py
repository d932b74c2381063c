"""The files beside the code of a source: expectation suites, pages about its formats, and samples.

Aurum's own suites and pages are in ``contracts``. A plugin has them in folders of the same names in its package.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aurum.core.names import nearest
from aurum.pipelines.quality.suites import Suites, read_suites
from aurum.pipelines.source import Source

EXPECTATIONS = "expectations"
"""Folder of the suites, one JSON file for each dataset."""
PAGES = "files"
"""Folder of the pages in Markdown, which describe the formats."""
SAMPLES = "samples"
"""Folder of a plugin's samples: a folder for each dataset with files under their publisher's names.

A file that holds several datasets is in a folder named after all of them, joined by ``+``.
"""

_WORD = re.compile(r"[a-z0-9_]+")
_BRACES = re.compile(r"([a-z0-9_]+)\{([a-z0-9_,]+)\}")


@dataclass(frozen=True, slots=True)
class Shipped:
    """The files of one source. ``pages``: texts by file name. ``samples``: files by the names of the datasets they hold."""

    suites: Suites
    pages: Mapping[str, str]
    samples: Mapping[frozenset[str], Sequence[Path]]

    @property
    def sampled(self) -> frozenset[str]:
        """The names of the datasets with a sample."""
        return frozenset[str]().union(*(names for names, paths in self.samples.items() if paths))


def read_shipped(folder: Path) -> Shipped:
    """Read the files in the folder of a plugin. Raises ``InvalidSuite``, ``OSError``, ``UnicodeDecodeError``."""
    return Shipped(read_suites(folder / EXPECTATIONS), read_pages(folder / PAGES), _samples(folder / SAMPLES))


def read_pages(folder: Path) -> Mapping[str, str]:
    """Return the pages in a folder by file name, none if it does not exist. Raises ``OSError``, ``UnicodeDecodeError``."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}


def _samples(folder: Path) -> Mapping[frozenset[str], Sequence[Path]]:
    folders = sorted(path for path in folder.glob("*") if path.is_dir()) if folder.is_dir() else []
    return {
        frozenset(path.name.split("+")): sorted(file for file in path.iterdir() if file.is_file() and file.name[0] != ".")
        for path in folders
    }


def lacking(source: Source, suites: Suites, pages: Mapping[str, str], sampled: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each file that a source lacks: every dataset has a suite, a page that names it, and a sample.

    ``sampled``: the names of the datasets with a sample. Suites and samples of datasets that the source does not have are
    reported as well.
    """
    names = [dataset.name for dataset in source.datasets]
    for name in names:
        if not suites.of(source.name, name).expectations:
            yield f"dataset {name} has no suite of expectations: add {EXPECTATIONS}/{source.name}_{name}.json"
        if not any(_is_about(page, text, source.name, name) for page, text in pages.items()):
            yield f"dataset {name} has no page: add one to {PAGES}/ that begins with {source.name} and names the dataset"
        if name not in sampled:
            yield f"dataset {name} has no sample: add a file under its publisher's name to {SAMPLES}/{name}/"
    for about in suites.by_dataset:
        owner, _, name = about.partition(":")
        if owner == source.name and name not in names:
            similar = nearest(name, names)
            meant = f", nearest: {', '.join(similar)}" if similar else ""
            yield f"a suite is about {about}, which is not a dataset of {source.name}{meant}"
    for name in sorted(set(sampled) - set(names)):
        yield f"{SAMPLES}/ has a folder for {name}, which is not a dataset of {source.name}"


def _is_about(page: str, text: str, source: str, dataset: str) -> bool:
    return page.startswith(source) and dataset in _words(text)


def _words(text: str) -> frozenset[str]:
    """Return the words of a page, names in braces written out: ``sld_fcst_{dam,rtd}`` is two words."""
    braces = [f"{match[1]}{ending}" for match in _BRACES.finditer(text) for ending in match[2].split(",")]
    return frozenset([*_WORD.findall(text), *braces])
