"""Syntax highlighting as ``<span class="hl-...">`` for the four languages of the guides, which need no library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

_STRING = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
_NUMBER = r"(?<![\w.-])-?\d+(?:\.\d+)?\b"

_LANGUAGES: Mapping[str, re.Pattern[str]] = {
    "sh": re.compile(
        rf"(?P<comment>(?:^|(?<=\s))#[^\n]*)|(?P<string>{_STRING})|(?P<name>\$\w+|\$\{{\w+\}})|(?P<option>(?<=\s)--?[A-Za-z][\w-]*)"
        r"|(?P<keyword>^[ \t]*(?:[A-Z_]+=\S*[ \t]+)*[\w./-]+(?=\s|$))",
        re.MULTILINE,
    ),
    "json": re.compile(
        rf"(?P<name>\"(?:\\.|[^\"\\])*\"(?=\s*:))|(?P<string>{_STRING})|(?P<number>{_NUMBER})|(?P<keyword>\b(?:true|false|null)\b)"
    ),
    "python": re.compile(
        rf"(?P<comment>#[^\n]*)|(?P<string>{_STRING})|(?P<number>{_NUMBER})"
        r"|(?P<keyword>\b(?:as|assert|async|await|def|else|except|for|from|if|import|in|is|not|print|return|try|while|with)\b)"
    ),
    "http": re.compile(
        r"(?P<keyword>^(?:GET|POST|PUT|PATCH|DELETE|HTTP/1\.1)\b)|(?P<name>^[A-Za-z-]+(?=: ))"
        rf"|(?P<string>{_STRING})|(?P<number>{_NUMBER})",
        re.MULTILINE,
    ),
}


def highlighted(code: str, language: str) -> str:
    """Return code as escaped HTML, highlighted when the language is known."""
    pattern = _LANGUAGES.get(language)
    if pattern is None:
        return escape(code)
    parts: list[str] = []
    end = 0
    for match in pattern.finditer(code):
        parts.append(escape(code[end : match.start()]))
        parts.append(f'<span class="hl-{match.lastgroup}">{escape(match.group())}</span>')
        end = match.end()
    return "".join([*parts, escape(code[end:])])
