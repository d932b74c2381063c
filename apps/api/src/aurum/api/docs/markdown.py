"""Conversion of Markdown to HTML: raw HTML is escaped, headings get anchors, code is highlighted, file links become pages."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from aurum.api.docs.highlight import highlighted
from aurum.api.docs.runnable import read_of

_PAGE_OF_FILE = re.compile(r"(?:.*/)?(?P<folder>guides|problems)/(?P<name>[a-z0-9-]+)\.md(?P<rest>#.*)?$")

_PICTURE = re.compile(r"[a-z0-9-]+\.svg")
"""The name of a picture beside the file that shows it."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the prose below it, without markup and code. ``anchor``: the id of the heading on the page."""

    level: int
    title: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class GuidePage:
    """One Markdown file. ``name``: the file name without suffix. ``source``: its Markdown. ``lead``: its first paragraph."""

    name: str
    source: str
    title: str
    lead: str
    html: str
    sections: Sequence[Section]


def render(name: str, source: str, *, folder: str) -> GuidePage:
    """Return a Markdown file as a page titled by its first heading. ``folder``: of the file, ``guides`` or ``problems``."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("fence", _fence)
    markdown.add_render_rule("heading_close", _heading_close)
    markdown.add_render_rule("table_open", lambda *_: '<div class="table"><table>')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>")
    tokens = markdown.parse(source)
    _name_headings(tokens)
    _link_pages(tokens, folder)
    sections = _sections(tokens)
    lead = next((_text(inline) for opening, inline in pairwise(tokens) if opening.type == "paragraph_open"), "")
    html = markdown.renderer.render(tokens, markdown.options, {})
    return GuidePage(name, source, sections[0].title if sections else name, lead, html, sections)


def _name_headings(tokens: Sequence[Token]) -> None:
    anchors: set[str] = set()
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            anchor = slug(_text(inline))
            while anchor in anchors:
                anchor += "-"
            anchors.add(anchor)
            token.attrSet("id", anchor)


def slug(title: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"


def _link_pages(tokens: Sequence[Token], folder: str) -> None:
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("href", _page_of(str(child.attrGet("href")), folder))
            elif child.type == "image" and _PICTURE.fullmatch(source := str(child.attrGet("src"))):
                child.attrSet("src", f"/docs/assets/{source}")


def _page_of(target: str, folder: str) -> str:
    """Return the address of the page for a linked file; other targets stay as they are.

    >>> _page_of("as-of.md#gone", "guides"), _page_of("../../contracts/problems/invalid.md", "guides")
    ('/docs/guides/as-of#gone', '/problems/invalid')
    """
    if ":" in target or target.startswith(("/", "#")):
        return target
    match = _PAGE_OF_FILE.fullmatch(target if "/" in target else f"{folder}/{target}")
    if match is None:
        return target
    base = "/docs/guides/" if match["folder"] == "guides" else "/problems/"
    return base + match["name"] + (match["rest"] or "")


def _sections(tokens: Sequence[Token]) -> list[Section]:
    headings: list[tuple[Token, str, list[str]]] = []
    previous = None
    for token in tokens:
        if token.type == "inline" and previous is not None and previous.type == "heading_open":
            headings.append((previous, _text(token), []))
        elif token.type == "inline" and headings:
            headings[-1][2].append(_text(token))
        previous = token
    return [Section(int(one.tag[1]), title, str(one.attrGet("id")), " ".join(texts)) for one, title, texts in headings]


def _text(token: Token) -> str:
    if not token.children:
        return token.content.strip()
    return "".join(" " if child.type == "softbreak" else child.content for child in token.children)


def _fence(_renderer: RendererHTML, tokens: Sequence[Token], place: int, _options: OptionsDict, _env: Any) -> str:
    token = tokens[place]
    language = token.info.strip().split(" ")[0]
    reads = read_of(token.content) if language == "sh" else None
    run = ""
    if reads is not None:
        path, headers = reads
        run = f' data-run="{escape(path)}" data-headers="{escape(json.dumps(headers))}"'
    return f'<div class="code"{run}><pre tabindex="0"><code>{highlighted(token.content, language)}</code></pre></div>\n'


def _heading_close(_renderer: RendererHTML, tokens: Sequence[Token], place: int, _options: OptionsDict, _env: Any) -> str:
    if tokens[place].tag == "h1":
        return "</h1>\n"
    anchor = tokens[place - 2].attrGet("id")
    return f' <a class="anchor" href="#{anchor}" aria-label="link to this section">#</a></{tokens[place].tag}>\n'
