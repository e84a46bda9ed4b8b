"""A comparison of two runs as lines: pure functions from what was found to styled text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from console import figures
from console.formatting import clock, crop, duration, right, status
from console.money import amount
from console.screens import facts
from console.screens.results import gate_lines, note, short_table
from console.screens.run_state import Result, RunState
from console.widgets.canvas import Lines, Run
from console.widgets.tint import Ground
from workflows.comparison import Comparison, Score, Side
from workflows.comparison.sentence import change, shown, value
from workflows.events import Figure, Gate, Note, Table

VERDICTS = {
    "better": ("▲ better", "ok"), "worse": ("▼ worse", "bad"), "higher": ("▲ higher", "live"), "lower": ("▼ lower", "live"),
    "within": ("≈ within chance", "dim"), "same": ("= same", "dim"), "unknown": ("? chance not known", "wait"),
    "missing": ("– not in both", "dim"),
}  # fmt: skip
SIDE_BY_SIDE = 120
"""Cells from which on two results stand beside each other."""
WITH_BASIS = 100
"""Cells from which on the table of scores names what chance was estimated from."""
KINDS = {"parameter": "", "machine": "machine: no score depends on it", "interface": "", "target": ""}


def overview(found: Comparison, width: int) -> Lines:
    """The likely cause first; then what differs, scores, gates and times."""
    lines: Lines = [*_side("A", found.a, width), *_side("B", found.b, width), []]
    lines += [[(text, "strong")] for line in facts.sentences([found.sentence], width) for text, _ in line]
    for side in (found.a, found.b):
        lines += facts.sentences([f"{side.run}: {reason}" for reason in side.withheld], width, "bad")
    lines += [
        [],
        facts.head("What differs", "● may have changed scores   ◌ follows, or only time and cost"),
    ]
    if not found.differences:
        lines.append([("Nothing: the same data, settings, code and machines.", "dim")])
    rows = [
        [
            ("● " if item.cause else "◌ ", "live" if item.cause else "dim"),
            (item.name, "strong" if item.cause else ""),
            (value(item.a), ""),
            (value(item.b), ""),
            (_kind(item.kind, item.name), "dim"),
        ]
        for item in found.differences
    ]
    lines += aligned(["", "", "A", "B", ""], rows, width) if rows else []
    lines += [[], facts.head("Scores", "difference of B to A, against what chance makes")]
    lines += _scores(found.scores, width)
    if found.gates:
        lines += [[], facts.head("Gates that changed")]
        for gate in found.gates:
            before, after = (status(verdict) if verdict else None for verdict in (gate.a, gate.b))
            line: list[Run] = [(f"{gate.name}  ", "strong")]
            line.append(
                (
                    f"{before.glyph} {before.word}" if before else "not reached",
                    before.role if before else "dim",
                )
            )
            line.append((" → ", "dim"))
            line.append(
                (f"{after.glyph} {after.word}" if after else "not reached", after.role if after else "dim")
            )
            lines.append(line)
            for name, reason in (("A", gate.reason_a), ("B", gate.reason_b)):
                lines += facts.fact(f"  {name}", reason, width, "dim", label_width=5) if reason else []
    steps = [
        [(one.title, ""), (duration(one.a), ""), (duration(one.b), ""), (_apart(one.a, one.b), "dim")]
        for one in found.steps
        if one.a is not None or one.b is not None
    ]
    if steps:
        lines += [
            [],
            facts.head("Time of each step"),
            *aligned(["", "A", "B", "B to A"], steps, width, rights=(1, 2, 3)),
        ]
    return lines + ([[], *facts.sentences(found.notes, width, "dim")] if found.notes else [])


def _side(letter: str, side: Side, width: int) -> Lines:
    mark = status(side.status)
    about = [
        f"interface {side.interface}",
        side.target,
        clock(side.created, day=True),
        duration(side.seconds),
    ]
    if side.dollars is not None:
        about.append(f"{'' if side.target == 'aws' else 'on AWS '}{amount(side.dollars)}")
    first: list[Run] = [(f"{letter} ", "head"), (f"{mark.glyph} ", mark.role), (f"{side.run}  ", "strong")]
    text = " · ".join(about)
    used = sum(cell_len(part) for part, _ in first)
    if used + len(text) <= width:
        return [[*first, (text, "dim")]]
    return [first, [("    " + text, "dim")]]


def _kind(kind: str, name: str) -> str:
    return KINDS.get(kind, kind if kind != name else "")


def _scores(scores: Sequence[Score], width: int) -> Lines:
    rows = []
    for score in sorted(scores, key=lambda one: not one.important):
        text, role = VERDICTS.get(score.verdict, (score.verdict, ""))
        rows.append(
            [
                (score.title, "strong" if score.important else ""),
                (shown(score.a, score.unit), ""),
                (shown(score.b, score.unit), ""),
                (change(score), role if role in ("ok", "bad") else ""),
                (text, role),
                (score.basis, "dim"),
            ]
        )
    if not rows:
        return [[("No metric in both runs.", "dim")]]
    if width < WITH_BASIS:
        rows = [row[:-1] for row in rows]
    return aligned(["", "A", "B", "B to A", *[""] * (len(rows[0]) - 4)], rows, width, rights=(1, 2, 3))


def _apart(a: float | None, b: float | None) -> str:
    if a is None or b is None:
        return "–"
    return f"{'−' if b < a else '+'}{duration(abs(b - a))}"


def aligned(
    heads: Sequence[str], rows: Sequence[Sequence[Run]], width: int, *, rights: Sequence[int] = ()
) -> Lines:
    """Cells with their roles below each other; the widest column gives way where there is no room."""
    count = len(heads)
    widths = [max([cell_len(heads[at]), *(cell_len(row[at][0]) for row in rows)]) for at in range(count)]
    while sum(widths) + 2 * (count - 1) > width and max(widths) > 6:
        widths[widths.index(max(widths))] -= 1

    def line(cells: Sequence[Run]) -> list[Run]:
        runs: list[Run] = []
        for at, (text, role) in enumerate(cells):
            fitted = right(text, widths[at]) if at in rights else crop(text, widths[at])
            runs.append((fitted + ("  " if at < count - 1 and widths[at] else ""), role))
        return runs

    head = [line([(name, "dim") for name in heads])] if any(heads) else []
    return [*head, *(line(row) for row in rows)]


def sides(a: RunState, b: RunState, width: int, *, ground: Ground) -> Lines:
    """Tables, figures and gates of both, paired by their titles: beside each other where there is room, else in turn."""
    beside = width >= SIDE_BY_SIDE
    room = (width - 3) // 2 if beside else width
    lines: Lines = []
    if beside:
        lines.append(
            _beside([[("A  ", "head"), (a.run, "strong")]], [[("B  ", "head"), (b.run, "strong")]], room)[0]
        )
    for first, second in pairs(a.shown, b.shown):
        drawn = [_drawn(one, room, ground) for one in (first, second)]
        lines += [[]] if lines and lines[-1] else []
        if beside:
            lines += _beside(drawn[0], drawn[1], room)
            continue
        for letter, run, result, part in (("A", a.run, first, drawn[0]), ("B", b.run, second, drawn[1])):
            if result is not None:
                only = "" if first is not None and second is not None else "  only here"
                lines.append(
                    [(f"{letter} ", "head"), (crop(run, width - 13).rstrip(), "dim"), (only, "wait")]
                )
                lines += [*part, []]
    if not a.shown and not b.shown:
        lines.append([("Neither run has a result to show.", "dim")])
    return lines


def pairs(a: Sequence[Result], b: Sequence[Result]) -> list[tuple[Result | None, Result | None]]:
    """The results of both by kind and title, in the order of A; then what only B has."""
    left = list(b)
    found: list[tuple[Result | None, Result | None]] = []
    for one in a:
        other = next((two for two in left if _identity(two) == _identity(one)), None)
        if other is not None:
            left.remove(other)
        found.append((one, other))
    return [*found, *((None, two) for two in left)]


def _identity(result: Result) -> tuple[str, str, str]:
    return type(result).__name__, result.step, result.name if isinstance(result, Gate) else result.title


def _drawn(result: Result | None, width: int, ground: Ground) -> Lines:
    match result:
        case Gate():
            return gate_lines(result, width)
        case Note():
            return note(result, width)[0]
        case Table():
            return short_table(result, width)
        case Figure():
            return figures.on_page(result, width, ground=ground)
    return [[("– not in this run", "dim")]]


def _beside(a: Lines, b: Lines, room: int) -> Lines:
    lines: Lines = []
    for at in range(max(len(a), len(b))):
        left = a[at] if at < len(a) else []
        used = sum(cell_len(text) for text, _ in left)
        lines.append([*left, (" " * max(0, room - used) + " │ ", "faint"), *(b[at] if at < len(b) else [])])
    return lines
