"""What the trials tell, with what is not sure about it: importance of hyperparameters, and tuned against default."""

from __future__ import annotations

from console.formatting import count, duration, number, status
from console.screens import facts
from console.screens.findings import Findings
from console.screens.tuning_facts import dollars
from console.screens.tuning_plots import Marks, default_band
from console.widgets.canvas import Lines
from console.widgets.intervals import Interval, Strip, interval_bars, strips
from workflows.tuning.importance import Importance

ROLES = {"better": "ok", "inside": "wait", "maybe": "wait", "worse": "bad"}
WORDS = {
    "better": "✓ Better than chance",
    "inside": "◌ Inside the spread",
    "maybe": "◌ May be luck",
    "worse": "✗ Worse than the default",
    "too-few": "◌ Too few default runs",
    "no-tuned": "◌ No value yet",
}


def importance(found: Importance | None, width: int) -> Lines:
    """Bars with 90% intervals, greatest first; what cannot be told apart from chance is dim."""
    if found is None:
        return [[("Working out what matters: it takes some seconds …", "wait")]]
    if found.problem:
        return [
            facts.head("What matters"),
            [],
            *facts.sentences([found.problem], width, "wait"),
        ]
    lines: Lines = [facts.head("What matters", f"part of the variance over the searched space, from {count(found.trials, 'trial')}"), []]  # fmt: skip
    lines += facts.sentences([found.sentence], width, "strong")
    lines.append([])
    bars = [
        Interval(item.name, item.share, item.low, item.high, "series-1" if item.clear else "dim")
        for item in found.parameters
    ]
    lines += interval_bars(bars, min(width, 110), most=1.0)
    lines += [[], *facts.fact("Interactions", f"{found.interactions:.2f}: what no hyperparameter explains on its own", width)]  # fmt: skip
    lines += facts.fact("Chance", f"{found.noise:.2f}: what a made-up hyperparameter gets at most", width)
    lines += facts.fact("Fit", f"{found.fit:.2f}: R² of the forest on trials it has not seen", width)
    return [
        *lines,
        [],
        *facts.sentences(
            [
                "█ the share, ▓ and ─ its 90% interval over resampled trials. Dim bars are not told apart from chance."
            ],
            width,
            "dim",
        ),
    ]


def default(findings: Findings, now: float, width: int) -> Lines:
    """The verdict in words, the scores beside the default's spread, the runs it stands on."""
    found = findings.comparison
    role = ROLES.get(found.verdict, "dim")
    lines: Lines = [facts.head("Tuned against the default configuration"), []]
    lines.append([(WORDS[found.verdict], role)])
    lines += facts.sentences([found.sentence], width)
    defaults = findings.view.defaults
    if not defaults:
        return [
            *lines,
            [],
            *facts.sentences(
                [
                    "No run of the default configuration yet. v trains it with several seeds: the same data and fixed "
                    "hyperparameters, the algorithm's own defaults where this tuning job searches."
                ],
                width,
                "wait",
            ),
        ]
    lines += [[], *_picture(findings, min(width, 110)), []]
    if found.mean is not None:
        spread = f" ± {number(found.spread)}" if found.spread is not None else ""
        lines += facts.fact("Default", f"{number(found.mean)}{spread} (mean, standard deviation)", width)
    if found.tuned is not None:
        gain = (
            f", {number(abs(found.gain))} {'better' if found.gain >= 0 else 'worse'}"
            if found.gain is not None
            else ""
        )
        lines += facts.fact("Tuned", f"{number(found.tuned)}{gain}", width, "strong")
    if found.limit_one is not None and found.limit_best is not None:
        lines += facts.fact("One more run", f"{number(found.limit_one)} at best (95%)", width)
        lines += facts.fact(
            "Best by luck",
            f"the best of {found.trials} default runs: {number(found.limit_best)} at best",
            width,
        )
    rows = []
    for run in defaults:
        state = status(run.status)
        seconds = (run.ended or now) - (run.started or run.created)
        rows.append(
            [run.name, str(state), run.seed or "–", number(run.value), duration(seconds), dollars(run.cost)]
        )
    return [*lines, [], *facts.table(["Run", "Status", "Seed", "Value", "Time", "Cost"], rows, width)]


def _picture(findings: Findings, width: int) -> Lines:
    found, marks = findings.comparison, Marks(findings)
    trials = tuple(
        float(trial.value or 0.0)
        for trial in findings.ranked
        if trial.value is not None and not marks.outside(trial.value)
    )
    rows = [Strip("default", found.values, "○", "series-1")]
    if trials:
        rows.append(Strip("trials", trials, "·", "dim"))
    if found.tuned is not None:
        rows.append(Strip("tuned", (found.tuned,), "◆", "series-2"))
    lines = strips(rows, width, spread=default_band(findings))
    if lines and default_band(findings) is not None:
        lines.append([("░ where another default run falls, 19 times of 20", "dim")])
    return lines
