"""Values as a person reads them, in sentences, tables and reports alike."""

from __future__ import annotations

import math
import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Unicode's bidirectional controls: in terminals that obey them the rest of a line would stand in another order than it is."""
STEERING = dict.fromkeys((*range(32), 127, *range(128, 160), *_DIRECTIONS))
"""Characters that move a terminal's cursor, set its colours, or turn its text round, for `str.translate`."""
ESCAPED = {code: f"\\u{code:04x}" for code in STEERING if code >= 127}
"""Those beyond ASCII as JSON may write them, and YAML in quotes: ``json.dumps`` leaves them as they are, and terminals obey some."""
_CONTROLS = STEERING | {9: "    "}


def duration(seconds: float | None) -> str:
    """A length of time in at most two units: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 10 min``, ``4 d 3 h``."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def number(value: float | None) -> str:
    """A measured value with four significant digits and no noise: ``0.8933``, ``12.5``, ``1 204``, ``3.2e-07``."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == int(value) and abs(value) < 1e9:  # people and parameters are counted: 10 038 388, not 1e+07
        return f"{int(value):,}".replace(",", " ")
    if abs(value) >= 1e6 or abs(value) < 1e-4:
        return f"{value:.3g}"
    return f"{value:.4g}"


def clock(time: float, *, day: bool = False) -> str:
    """A moment in local time: ``14:03:22``, with ``day`` as ``2026-11-22 14:03``."""
    from datetime import datetime

    moment = datetime.fromtimestamp(time)
    return moment.strftime("%Y-%m-%d %H:%M") if day else moment.strftime("%H:%M:%S")


def printable(text: str) -> str:
    """The text without escape sequences and control characters: what a log says must not steer the terminal."""
    if text.isprintable():
        return text
    return _ESCAPES.sub("", text.rsplit("\r", 1)[-1] if "\r" in text.rstrip("\r") else text).translate(
        _CONTROLS
    )
