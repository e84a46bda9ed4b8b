"""When a terminal showed what: recorded output is replayed through pyte after the run, so that emulation costs the program nothing."""

from __future__ import annotations

import codecs
import importlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.terminal import SIZE
from benchmarks.venvs import environment

PYTE = "pyte==0.8.2"
WHOLE = 0.95
"""The part of the visible characters of the settled screen from which it counts as painted."""
_UNKNOWN = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    r"|\x1b[P_^X][^\x1b]*\x1b\\"  # DCS, APC, PM, SOS
    r"|\x1b\[[<=>][0-9;:]*[@-~]"  # private CSI
    r"|\x1b\[\?[0-9;]*(?:\$p|u|n)"
    r"|\x1b\[[0-9;:]*[ !\"#$%&'*]+[@-~]"
    r"|\x1b\[\?20(?:26|27|48|31)[hl]"
)
"""What came after ECMA-48 and DEC: pyte would print its letters."""
_PARTIAL = re.compile(r"\x1b(?:\[[0-9;:<=>?!\"#$%&'* ]*|[\]P_^X][^\x07\x1b]*\x1b?)?$")
_COLONS = re.compile(r"\x1b\[([0-9;]*:[0-9;:]*)m")


@dataclass(frozen=True)
class Paint:
    """Milliseconds from the start to the first visible character and to the whole screen; kB until then; the settled screen."""

    first: float
    full: float
    kilobytes: float
    lines: tuple[str, ...]


class _Emulator:
    def __init__(self) -> None:
        pyte = _pyte()
        self.screen = pyte.Screen(*SIZE)
        self._stream = pyte.Stream(self.screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._carry = ""

    def feed(self, data: bytes) -> None:
        text = self._carry + self._decoder.decode(data)
        cut = _PARTIAL.search(text)
        if cut and len(cut.group()) < 4096:
            self._carry, text = cut.group(), text[: cut.start()]
        else:
            self._carry = ""
        self._stream.feed(_COLONS.sub("\x1b[0m", _UNKNOWN.sub("", text)))

    def visible(self) -> int:
        return sum(len(line.replace(" ", "")) for line in self.screen.display)


def _pyte() -> Any:
    folder = environment("pyte-0.8.2", PYTE)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    if str(packages) not in sys.path:
        sys.path.append(str(packages))
    return importlib.import_module("pyte")


def paint(chunks: Sequence[tuple[float, bytes]], started: float, ready: str = "") -> Paint:
    """When the screen was painted.

    Args:
        chunks: What was written, with times, until it had settled.
        started: The time of the start.
        ready: A text that has to be there for the screen to be whole.
    """
    final = _Emulator()
    for _, data in chunks:
        final.feed(data)
    goal = final.visible() * WHOLE
    replay, received, first = _Emulator(), 0, 0.0
    for at, data in chunks:
        replay.feed(data)
        received += len(data)
        count = replay.visible()
        first = first or (at if count else 0.0)
        if count and count >= goal and ready in "\n".join(replay.screen.display):
            full = at
            break
    else:
        full = chunks[-1][0] if chunks else started
    lines = tuple(line.rstrip() for line in final.screen.display)
    return Paint((first - started) * 1000, (full - started) * 1000, received / 1000, lines)
