"""Takes out of a recording what a terminal would answer, keep, or pass on.

A recording may come from somebody else, and a terminal obeys what it is shown: it reports its mouse and its colours as if they were
typed, puts texts into the clipboard, changes its title, resizes its window. What moves the cursor, paints and clears is let through; the
rest is dropped.
"""

from __future__ import annotations

import re

LONGEST = 4096
"""Characters of a sequence that has not ended; a longer one is dropped as it comes."""

_SEQUENCE = re.compile(
    r"""
      \x1b\[ (?P<parameters>[0-?]*) (?P<between>[ -/]*) (?P<final>[@-~])       # CSI
    | \x1b[\]PX^_] (?:[^\x1b\x07\x9c] | \x1b(?!\\))*? (?:\x07|\x1b\\|\x9c)  # OSC, DCS, SOS, PM, APC up to their end
    | \x1b (?P<charset>[()][0AB])
    | \x1b [ -/]+ [0-~]                                                        # other sequences with bytes between
    | \x1b (?P<escape>[0-OQ-WYZ\\`-~])
    | (?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])
    | (?P<text>[^\x00-\x1f\x7f-\x9f]+)
    """,
    re.VERBOSE,
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[ -/]*|[\]PX^_](?:[^\x1b\x07\x9c]|\x1b(?!\\))*)?\Z")
_FINALS = frozenset("@ABCDEFGHIJKLMPSTXZ`abdefgmrsu")
_MODES = frozenset(("7", "25", "47", "1047", "1048", "1049", "2026"))
"""DEC private modes that only change what is shown: wrap, cursor, alternate screen, synchronized output."""
_PARAMETERS = re.compile(r"[0-9;:]*")


class Harmless:
    """Filters a stream of texts; a sequence may be cut anywhere between two of them."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> str:
        """What may be shown of the stream so far; an unfinished sequence waits for its end."""
        text = self._rest + text
        self._rest = ""
        kept: list[str] = []
        at = 0
        while at < len(text):
            found = _SEQUENCE.match(text, at)
            if found is None:
                rest = text[at:]
                if _UNFINISHED.match(rest) and len(rest) <= LONGEST:
                    self._rest = rest
                    break
                at += 1  # a lone ESC, or the beginning of something that is no sequence
                continue
            at = found.end()
            if _allowed(found):
                kept.append(found[0])
        return "".join(kept)


def _allowed(found: re.Match[str]) -> bool:
    if found["text"] or found["charset"]:
        return True
    if found["control"]:
        return found["control"] in "\b\t\n\v\f\r\x0e\x0f"
    if found["escape"]:
        return found["escape"] in "78DEM"
    final, parameters = found["final"], found["parameters"]
    if not final or found["between"]:
        return False
    if parameters.startswith("?"):
        return final in "hl" and all(mode in _MODES for mode in parameters[1:].split(";"))
    return final in _FINALS and bool(_PARAMETERS.fullmatch(parameters))
