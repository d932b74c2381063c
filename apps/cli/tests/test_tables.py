"""Tables of commands: names and headings are never broken, sentences are folded on a terminal only."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from aurum.cli.render import console, table

KEY = "pjm:rt_fivemin_hrl_lmps:51291:congestion"
SENTENCE = "the values of this column are not numbers, and there are many words about why that is so in this sentence"


def shown(content: Table, *, width: int) -> list[str]:
    out = Console(file=io.StringIO(), width=width, soft_wrap=True, force_terminal=True, no_color=True, highlight=False)
    out.print(content)
    assert isinstance(out.file, io.StringIO)
    return [line.rstrip() for line in out.file.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()]


def test_names_and_headings_stay_whole_on_a_narrow_terminal() -> None:
    headers = ["key", "days with gaps", "refused files", "key of the other", "quarantined"]
    lines = shown(table(headers, [(KEY, 1, 2, KEY, 3)], right=["quarantined"]), width=80)
    assert len(lines) == 2
    assert lines[1].split() == [KEY, "1", "2", KEY, "3"]
    assert all(header in lines[0] for header in headers)


def test_no_column_is_left_out_on_a_narrow_terminal() -> None:
    headers = ["dataset", "files", "rows read", "new", "revised", "unchanged", "quarantined", "seconds"]
    name = "nyiso:external_limits_flows,external_limits_flows_extra"
    lines = shown(table(headers, [(name, *range(7))], right=headers[1:]), width=80)
    assert lines[1].split() == [name, *map(str, range(7))]


def test_sentences_are_folded_on_a_terminal() -> None:
    lines = shown(table(["key", "why"], [(KEY, SENTENCE)], text=["why"]), width=80)
    assert len(lines) > 2
    assert KEY in lines[1]
    assert max(map(len, lines)) <= 80


def test_numbers_are_aligned_to_the_right() -> None:
    lines = shown(table(["key", "rows"], [("a", 1), ("b", 100)], right=["rows"]), width=80)
    assert [line[-3:] for line in lines[1:]] == ["  1", "100"]


def test_brackets_in_cells_are_not_markup() -> None:
    assert "[red]x[/red]" in shown(table(["key"], [("[red]x[/red]",)]), width=80)[1]


def test_output_that_is_no_terminal_has_no_width() -> None:
    out = console()
    assert not out.is_terminal
    with out.capture() as captured:
        out.print(table(["key", "why"], [(KEY, SENTENCE * 20)], text=["why"]))
        out.print("x" * 5000)
    assert len(captured.get().splitlines()) == 3
