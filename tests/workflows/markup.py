"""Reads a page strictly: every element closed, every id once, nothing loaded from anywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

VOID = {"meta", "link", "img", "br", "hr", "input", "col", "source", "wbr"}
LOADING = {"src", "srcset", "data", "poster", "action", "formaction", "background", "xlink:href"}


class Page(HTMLParser):
    """What a page holds. ``wrong`` lists what is not well-formed or would load something."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.headings: list[int] = []
        self.heads: list[dict[str, str | None]] = []
        self.counts: dict[str, int] = {}
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.wrong += [f"<{tag}> is never closed" for tag in self._open]
        self.wrong += [f"#{name} leads nowhere" for name in self.links if name not in self.ids]
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"</{tag}> closes something else at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & {*self._open}:
            self.words.append(data)

    def _seen(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        given = dict(attrs)
        if len(given) != len(attrs):
            self.wrong.append(f"<{tag}> has an attribute twice")
        if (name := given.get("id")) is not None:
            if name in self.ids:
                self.wrong.append(f"id {name} twice")
            self.ids.add(name)
        if tag in ("link", "iframe", "object", "embed", "img", "base", "form"):
            self.wrong.append(f"<{tag}> loads something")
        for attribute, value in given.items():
            if attribute in LOADING or attribute.startswith("on"):
                self.wrong.append(f"<{tag} {attribute}={value!r}>")
        if tag == "a":
            href = given.get("href") or ""
            if href.startswith("#"):
                self.links.append(href[1:])
            else:
                self.wrong.append(f"a link to {href!r}")
        if tag == "th":
            self.heads.append(given)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))


def drawings(text: str) -> list[ElementTree.Element]:
    """The SVG elements of a page, each read as XML."""
    return [ElementTree.fromstring(found) for found in re.findall(r"<svg .*?</svg>", text, re.S)]
