"""Where in a TOML file a key stands, which its parser does not tell."""

from __future__ import annotations

import re


def line_of(text: str, key: str) -> int:
    """The line, counted from 1, that gives ``key`` its value; 0: none does.

    Args:
        key: With its tables: ``engine.port`` stands under a heading ``[engine]`` as ``port``, or anywhere as ``engine.port``.
    """
    heading = ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if match := re.match(r"\[\s*([^\]]+?)\s*\]", stripped):
            heading = _bare(match[1]) + "."
            continue
        if "=" in stripped and heading + _bare(stripped.partition("=")[0].strip()) == key:
            return number
    return 0


def _bare(name: str) -> str:
    return name.replace('"', "").replace("'", "").replace(" ", "")
