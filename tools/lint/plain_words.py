"""Plain English in code and guides: finds the habits that made earlier text hard to read.

Looks at docstrings, comments, texts of messages and names in Python, and at guides. A finding names the rule and what to
write instead. Where a word is right, mark the line with ``# words: why``, or add it to ``ALLOWED``.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = "# words:"

PHRASES: dict[str, str] = {
    r"\b[Ww]ho(?:m)?ever\b": 'name the role: "the caller", "the client", "a reader"',
    r"\b[Nn]obody\b": 'name the role: "no client", "no process"',
    r"\b[Ff]or who\b": 'name the role: "for callers that ..."',
    r"(?<!\b[Tt]here )\bis no (?!longer\b|more\b|fewer\b|less\b|later\b|earlier\b|need\b|reason\b)": 'write "is not a ..."',
    r"\b[Ss]o many\b": "say the number or name the setting",
    r"\bthat there (?:is|are)\b": 'write "existing", "available", or leave it out',
    r"\b(?:lane|shelf|thaw(?:s|ed|ing)?|purse|workshop)\b": "house word: use the name of the field (style.md)",
    r"\b(?:[Ww]e|us|ours)\b": "name the part that acts: the service, the worker, the store",
}
"""Pattern of a habit and what to write instead, for prose of any kind."""

OPENINGS: dict[str, str] = {
    r"Of (?!course\b)": 'a docstring does not begin with "Of"',
    r"For who\b": 'a docstring does not begin with "For who"',
    r"What\b": 'a docstring does not begin with "What": name the thing, or begin with a verb',
    r"Whether\b(?=.*\b(?:told|given)\b)": "say what is tested",
    r"So many\b": "say what is counted",
}
"""Pattern of a docstring's first words and why they are wrong."""

NAMES = frozenset(
    {"kept", "given", "found", "told", "asked", "taken", "whoever", "nobody", "everybody", "door", "lane", "shelf", "thaw"}
)
"""Names that do not say of what they are: past participles that stand alone, and house words."""

ALLOWED: frozenset[tuple[str, str]] = frozenset()
"""(path, word) of places where a public name has to stay."""

FOLDERS = (
    "apps",
    "bench",
    "fuzz",
    "contracts",
    "docs",
    "infra",
    "libs",
    "tests",
    "tools",
    "conftest.py",
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "AGENTS.md",
)
SUFFIXES = (".py", ".md")
LEFT_OUT = (
    "node_modules/",
    "/.venv/",
    "tools/lint/plain_words.py",
    "tools/tests/test_plain_words.py",
    "docs/adr/",
    "CHANGELOG.md",
    "migrations/versions/",
    "contracts/files/",
)
"""The rules themselves, records of the past that are not rewritten, and quotations of publishers."""


@dataclass(frozen=True, slots=True)
class Prose:
    """A piece of text of a file. ``opens``: whether it is a docstring, whose first words count."""

    line: int
    text: str
    opens: bool = False


def findings(text: str, name: str) -> list[str]:
    """One line for each habit in a file, in order.

    >>> findings('def f():\\n    "Of a way to ask."\\n', "x.py")
    ['x.py:2: "Of": a docstring does not begin with "Of"']
    >>> findings("kept = 1\\n", "x.py")
    ['x.py:1: name "kept": say of what it is (a cached entry, a stored file, a requested span)']
    >>> findings("kept = 1  # words: a column of a published file\\n", "x.py")
    []
    >>> findings("Whoever asks is served.\\n", "x.md")
    ['x.md:1: "Whoever": name the role: "the caller", "the client", "a reader"']
    """
    lines = text.splitlines()
    is_python = name.endswith(".py")
    pieces = _python_prose(text) if is_python else _markdown_prose(lines)
    hits = [(line, message) for piece in pieces for line, message in _in_prose(piece)]
    if is_python:
        hits += _in_names(text)
    return [f"{name}:{line}: {message}" for line, message in sorted(set(hits)) if not _is_allowed(name, lines, line, message)]


def _is_allowed(name: str, lines: list[str], line: int, message: str) -> bool:
    if line <= len(lines) and MARK in lines[line - 1]:
        return True
    return any(name == path and f'"{word}"' in message for path, word in ALLOWED)


def _in_prose(piece: Prose) -> Iterator[tuple[int, str]]:
    plain = re.sub(r"``[^`]*``|`[^`]*`", "``", piece.text)
    if piece.opens:
        for pattern, why in OPENINGS.items():
            if match := re.match(pattern, plain.lstrip()):
                yield piece.line, f'"{match[0].strip()}": {why}'
    for pattern, why in PHRASES.items():
        for match in re.finditer(pattern, plain):
            yield piece.line + plain[: match.start()].count("\n"), f'"{match[0].strip()}": {why}'


def _python_prose(text: str) -> Iterator[Prose]:
    """Docstrings, strings that stand alone, messages (strings with a space) and comments."""
    tree = ast.parse(text)
    alone = {
        id(node.value): node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value and not _is_sql(node.value):
            yield Prose(node.lineno, node.value, opens=id(node) in alone)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield Prose(token.start[0], token.string.lstrip("# "))


def _is_sql(text: str) -> bool:
    return (
        re.search(
            r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|WITH)\b.*\b(?:FROM|INTO|SET|TABLE|AS|INDEX)\b", text, re.DOTALL
        )
        is not None
    )


def _markdown_prose(lines: list[str]) -> Iterator[Prose]:
    """Lines outside of fenced blocks."""
    is_fenced = False
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("```"):
            is_fenced = not is_fenced
        elif not is_fenced:
            yield Prose(number, line)


def _in_names(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        match node:
            case (
                ast.Name(id=name, ctx=ast.Store())
                | ast.arg(arg=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
            ):
                pass
            case ast.Attribute(attr=name, ctx=ast.Store()):
                pass
            case _:
                continue
        if name.strip("_") in NAMES:
            yield node.lineno, f'name "{name}": say of what it is (a cached entry, a stored file, a requested span)'


def looked_at(folders: list[str]) -> list[Path]:
    """Files that the rules hold for, below some folders or anywhere in the folders of the project."""
    roots = [ROOT / folder for folder in folders or FOLDERS]
    files = [path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*")))]
    names = {path: path.relative_to(ROOT).as_posix() for path in files if path.suffix in SUFFIXES and path.is_file()}
    return [path for path, name in names.items() if not any(part in name for part in LEFT_OUT)]


def main() -> int:
    """Print findings of all files, or of those below the folders on the command line; gives 1 when there are some."""
    hits = [line for path in looked_at(sys.argv[1:]) for line in findings(path.read_text(), str(path.relative_to(ROOT)))]
    print("\n".join(hits) if hits else "plain words: no finding")
    return 1 if hits else 0


if __name__ == "__main__":
    sys.exit(main())
