"""A rollout's timeline in characters: green's share of the traffic over time, and its phases as lines. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from console.formatting import duration
from console.widgets.canvas import Lines, Run, append
from workflows.rollout.timeline import Phase

GREEN, BLUE, NOW = "series-3", "series-1", "strong"
_EIGHTHS = " ▁▂▃▄▅▆▇█"


def chart(
    phases: Sequence[Phase], width: int, height: int, *, at: float | None = None, back: bool = False
) -> Lines:
    """The share of green over time as an area, with its axis below.

    Args:
        width: Cells.
        height: Lines, the axis among them; 2 at least.
        at: Seconds since the start; what lies before it is filled, what comes is drawn in outline (None: all is filled).
        back: The rollout goes back: what would have come is left out.
    """
    rows, label = max(1, height - 2), 6
    room = max(8, width - label - 1)
    total = phases[-1].end if phases else 0.0
    lines: Lines = []
    shares = [_share(phases, total * (column + 0.5) / room) for column in range(room)]
    for row in range(rows):
        name = "100%" if row == 0 else "0%" if row == rows - 1 and rows > 1 else ""
        line: list[Run] = [(name.rjust(label - 1) + " ", "dim")]
        for column, share in enumerate(shares):
            level = max(0.0, min(1.0, share * rows - (rows - 1 - row)))
            glyph = _EIGHTHS[round(level * 8)]
            come = at is not None and total * (column + 0.5) / room > at
            if come and back:
                append(line, " ", "")
            elif glyph == " ":
                append(line, "·", "faint")
            elif come:
                append(line, "░" if level >= 0.5 else "·", "dim" if level >= 0.5 else "faint")
            else:
                append(line, glyph, GREEN)
        lines.append(line)
    lines.append([(" " * label, ""), *_axis(phases, room, total, at)])
    lines.append([(" " * label, ""), (_times(total, room), "dim")])
    return lines


def rows(phases: Sequence[Phase], width: int, *, at: float | None = None, most: int = 40) -> Lines:
    """The phases one below the other: when, how long (~: an estimate), green's share, what; where ``at`` is, is marked."""
    lines: Lines = []
    shown = list(phases)
    left_out = max(0, len(shown) - most)
    if left_out:
        keep = max(1, most - 2)
        shown = [*phases[:keep], phases[-1]]
    begins = [duration(phase.start) for phase in shown]
    lengths = [("" if phase.declared else "~") + duration(phase.seconds) for phase in shown]
    begin_width, length_width = max(map(len, begins), default=0), max(map(len, lengths), default=0)
    for number, (phase, begin, length) in enumerate(zip(shown, begins, lengths, strict=True)):
        here = at is not None and phase.start <= at < phase.end
        past = at is not None and phase.end <= at
        fleets = "" if phase.fleets == 1 else f" · {phase.fleets:.3g} fleets"
        bar = max(4, min(10, width - 60))
        filled = round(phase.share * bar)
        lines.append(
            [
                ("▸ " if here else "✓ " if past else "  ", "live" if here else "ok"),
                (f"{begin:>{begin_width}}  ", "dim"),
                (f"{length:>{length_width}}  ", "strong" if here else ""),
                ("█" * filled, GREEN),
                ("░" * (bar - filled), BLUE),
                (f" {phase.share:4.0%}  ", ""),
                (phase.title, "strong" if here else ""),
                (fleets, "dim"),
            ]
        )
        if left_out and number == len(shown) - 2:
            lines.append([(f"  … {left_out + 1} more steps", "dim")])
    return lines


def split(share: float, width: int) -> list[Run]:
    """The traffic as one bar: blue from the left, green from the right, a cell for anything that is not nothing."""
    green = round(share * width)
    if 0 < share < 1:
        green = min(width - 1, max(1, green))
    return [("▒" * (width - green), BLUE), ("█" * green, GREEN)]


def text(lines: Lines) -> str:
    """Lines without colours."""
    return "\n".join("".join(part for part, _ in line).rstrip() for line in lines)


def _share(phases: Sequence[Phase], at: float) -> float:
    for phase in phases:
        if at < phase.end:
            return phase.share
    return phases[-1].share if phases else 0.0


def _axis(phases: Sequence[Phase], room: int, total: float, at: float | None) -> list[Run]:
    marks = ["─"] * room
    for phase in phases[1:]:
        place = int(phase.start / total * room) if total else 0
        if place < room:
            marks[place] = "┴"
    line: list[Run] = []
    here = -1 if at is None or not total else min(room - 1, int(at / total * room))
    for number, mark in enumerate(marks):
        append(line, "▲" if number == here else mark, NOW if number == here else "dim")
    return line


def _times(total: float, room: int) -> str:
    end, half = duration(total), duration(total / 2)
    if room < 2 * len(end) + len(half) + 8:
        return "0 s" + end.rjust(room - 3)
    middle = half.center(room)
    return "0 s" + middle[3 : room - len(end)] + end
