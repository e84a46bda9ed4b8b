"""Values as a person reads them: statuses with a glyph, durations, ages, sizes, numbers, cropped names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from workflows.wording import clock, duration, number, printable

__all__ = [
    "GLYPHS", "Status", "ago", "as_text", "bar", "clock", "count", "crop", "crop_before", "crop_middle", "duration", "figures", "grouped", "number", "printable", "right", "size",
    "span", "status", "thin_bar", "width_of",
]  # fmt: skip

_OWN_GLYPHS = {"Early stop": "◧"}
GLYPHS = {"ok": "✓", "bad": "✗", "live": "●", "wait": "◌", "idle": "■", "dim": "○"}

_ROLES = {
    # training jobs
    "InProgress": "live",
    "Completed": "ok",
    "Failed": "bad",
    "Stopping": "wait",
    "Stopped": "idle",
    "Pending": "wait",
    "Starting": "wait",
    # endpoints
    "InService": "ok",
    "Creating": "wait",
    "Updating": "live",
    "SystemUpdating": "live",
    "RollingBack": "bad",
    "UpdateRollbackFailed": "bad",
    "OutOfService": "idle",
    "Deleting": "wait",
    "DeleteFailed": "bad",
    "Early stop": "wait",
    # runs of a study and their steps
    "running": "live",
    "completed": "ok",
    "done": "ok",
    "reused": "ok",
    "failed": "bad",
    "refused": "bad",
    "stopped": "idle",
    "skipped": "idle",
    "interrupted": "bad",
    "waiting": "wait",
    "pending": "dim",
    "starting": "live",
    "stopping": "wait",
    # rollouts and alarms
    "succeeded": "ok",
    "rolled-back": "bad",
    "gone": "idle",
    "superseded": "idle",
    "provisioning": "live",
    "shifting": "live",
    "baking": "live",
    "final-bake": "live",
    "retiring": "live",
    "rolling-back": "bad",
    "OK": "ok",
    "ALARM": "bad",
    "INSUFFICIENT_DATA": "wait",
    # gates
    "pass": "ok",
    "warn": "wait",
    "fail": "bad",
}


@dataclass(frozen=True, slots=True)
class Status:
    """A status as it is shown: the glyph, the word, and the role that gives its colour."""

    glyph: str
    word: str
    role: str

    def __str__(self) -> str:
        return f"{self.glyph} {self.word}"


def status(word: str) -> Status:
    """The glyph and the role of a status of AWS or of a run; an unknown word is shown as idle."""
    role = _ROLES.get(word, "idle")
    return Status(_OWN_GLYPHS.get(word, GLYPHS[role]), word, role)


def span(seconds: float | None) -> str:
    """A length of time in one unit, for narrow places: ``8 s``, ``3 min``, ``2 h``, ``4 d``."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    seconds = max(0.0, seconds)
    for unit, size, limit in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86400)):
        if seconds < limit:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds // 86400)} d"


def ago(then: float | None, now: float) -> str:
    """How long ago a time was, in one unit: ``now``, ``8 s ago``, ``3 min ago``."""
    if then is None:
        return "–"
    return "now" if now - then < 1 else f"{span(now - then)} ago"


def size(octets: float | None) -> str:
    """A number of bytes in decimal units: ``812 B``, ``4.2 kB``, ``1.3 GB``."""
    if octets is None:
        return "–"
    value = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count(number_of: int, noun: str) -> str:
    """A number with its noun: ``1 job``, ``3 jobs``, ``no jobs``."""
    if number_of == 0:
        return f"no {noun}s"
    return f"{grouped(number_of)} {noun}" + ("" if number_of == 1 else "s")


def grouped(number_of: int) -> str:
    """A whole number, its thousands apart: ``12 345``."""
    return f"{number_of:,}".replace(",", " ")


def width_of(text: str) -> int:
    """Cells of a printable text. `cell_len` takes ten times as long for the letters that are one cell each."""
    return len(text) if text.isascii() else cell_len(text)


def crop(text: str, width: int) -> str:
    """The text in exactly ``width`` cells, cut at its end with ``…``."""
    length = width_of(text)
    if length <= width:
        return text + " " * (width - length)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def crop_middle(text: str, width: int) -> str:
    """The text in exactly ``width`` cells, cut in its middle: names differ at both ends."""
    if width < 9 or width_of(text) <= width:
        return crop(text, width)
    tail = max(4, (width - 1) // 2)
    if text.isascii():
        return f"{text[: width - 1 - tail]}…{text[-tail:]}"
    begin, cells = len(text), 0  # keys of S3 may have letters of two cells
    while (cells := cells + cell_len(text[begin - 1])) <= tail:
        begin -= 1
    return crop(f"{set_cell_size(text, width - 1 - tail)}…{text[begin:]}", width)


def crop_before(text: str, width: int, keep: int) -> str:
    """The text in exactly ``width`` cells, cut before its last ``keep`` characters."""
    kept = text[-keep:] if keep > 0 else ""
    room = width - width_of(kept)
    if not kept or room < 1 or width_of(text) <= width:
        return crop(text, width)
    return crop(text[:-keep], room) + kept


def right(text: str, width: int) -> str:
    """The text at the right of ``width`` cells, cut at its end where it is too long."""
    length = width_of(text)
    return " " * (width - length) + text if length <= width else crop(text, width)


def bar(fraction: float, width: int) -> str:
    """A horizontal bar of ``width`` cells with eighths of a cell as its resolution."""
    eighths = round(min(1.0, max(0.0, fraction)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width)


def thin_bar(fraction: float, width: int) -> tuple[str, str]:
    """The done and the open part of a progress line of ``width`` cells."""
    done = round(min(1.0, max(0.0, fraction)) * width)
    return "━" * done, "─" * (width - done)


_FIGURE = re.compile(r"[−+~<>×-]?\s?\d[\d .,]*(e[+-]?\d+)?\s?(%|pp|ms|s|/s|/min)?")


def figures(texts: Sequence[str]) -> bool:
    """Whether a column holds figures, and dashes where there is none."""
    there = [text for text in texts if text.strip() not in ("", "–", "-")]
    return bool(there) and all(_FIGURE.fullmatch(text.strip()) for text in there)


def as_text(value: object) -> str:
    """A value of a table as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return "–" if value is None else str(value)
