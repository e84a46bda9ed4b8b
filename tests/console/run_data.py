"""Runs of a study beyond the moons run that `scripted` tells: figures of every form, a long table, a comparison."""

from __future__ import annotations

import math
from datetime import date, timedelta

from workflows import events as e
from workflows.comparison import Comparison, Difference, GateChange, Score, Side, StepTimes

NOW = 1_800_000_000.0


def _noise(at: int) -> float:
    return math.sin(at * 12.9898) * 0.5 + math.sin(at * 4.1414) * 0.5


def figures() -> list[e.Figure]:
    """A figure of each form, as the studies tell them."""
    days = [(date(2014, 11, 1) + timedelta(days=at)).isoformat() for at in range(60)]
    season = [52 + 11 * math.sin(at / 7 * 2 * math.pi) for at in range(60)]
    ahead = days[30:]
    components = [f"c_{at}" for at in range(1, 8)]
    centres = [(_noise(k), _noise(k + 50)) for k in range(8)]
    return [
        e.Figure(
            time=0, title="Forecast of December 2014, household 7", form="fan", x_label="day", y_label="kWh per day",
            series=[
                {"name": "90 % interval", "x": ahead, "low": [y - 9 - at / 6 for at, y in enumerate(season[30:])], "high": [y + 9 + at / 6 for at, y in enumerate(season[30:])]},
                {"name": "50 % interval", "x": ahead, "low": [y - 3.5 for y in season[30:]], "high": [y + 3.5 for y in season[30:]]},
                {"name": "actual", "x": days, "y": [y + 4 * _noise(at) for at, y in enumerate(season)]},
                {"name": "median", "x": ahead, "y": season[30:]},
            ],
        ),
        e.Figure(
            time=0, title="Centroids of the clusters", form="heatmap", x_label="component", y_label="cluster",
            series=[{"name": "centroids", "x": components, "y": [f"cluster {k}" for k in range(8)], "z": [[round(0.45 * _noise(7 * k + c), 3) for c in range(7)] for k in range(8)]}],
        ),
        e.Figure(
            time=0, title="Counties by cluster", form="scatter", x_label="c_1", y_label="c_2",
            series=[
                {
                    "name": f"cluster {k}", "x": [x + 0.2 * _noise(100 * k + at) for at in range(30)], "y": [y + 0.2 * _noise(300 * k + at) for at in range(30)],
                    "labels": [f"County {k}-{at}" for at in range(30)],
                }
                for k, (x, y) in enumerate(centres)
            ],
        ),
        e.Figure(
            time=0, title="Recall by variant", form="bar",
            series=[
                {"name": "validation", "x": ["simple", "recall", "balanced", "precision"], "y": [0.68, 0.91, 0.93, 0.42]},
                {"name": "test", "x": ["simple", "recall", "balanced", "precision"], "y": [0.66, 0.89, 0.92, 0.39]},
            ],
        ),
    ]  # fmt: skip


def long_table() -> e.Table:
    """Counties with their clusters."""
    return e.Table(
        time=0,
        title="Counties and their clusters",
        columns=["county", "cluster", "distance", "people", "households", "area in km²", "income", "why"],
        rows=[
            [f"County {at:03d}, Alabama", at % 8, round(0.3 + abs(_noise(at)), 4), 10_000 + 977 * at, 4_000 + 391 * at, 900 + at, 21_000 + 113 * at, "high IncomePerCap, low Poverty and Unemployment, many Professional"]
            for at in range(120)
        ],
    )  # fmt: skip


def events(run: str, told: list[e.Event]) -> list[e.Event]:
    """The events of a run with these results at its end."""
    at = next(place for place, event in enumerate(told) if isinstance(event, e.RunFinished))
    results: list[e.Event] = [*figures(), long_table()]
    return [*told[:at], *results, *told[at:]]


def comparison(a: str, b: str) -> Comparison:
    """Two moons runs: another learning rate, another machine."""
    sides = [
        Side(run, "completed", "low", "embedded", NOW - ago, seconds, dollars, "", ())
        for run, ago, seconds, dollars in ((a, 90_000, 62.0, 0.0041), (b, 3_600, 71.5, 0.0049))
    ]
    return Comparison(
        study="moons",
        a=sides[0],
        b=sides[1],
        sentence="Accuracy 80.7 % → 89.3 % (+8.7 points), better by more than the binomial error. The difference is due to "
        "learning-rate (0.0001 → 0.01): nothing else differs.",
        differences=(
            Difference("parameter", "learning-rate", 0.0001, 0.01, True),
            Difference("model", "train model", "a" * 64, "b" * 64, False),
            Difference("machine", "instance-type", "ml.m5.large", "ml.c5.large", False),
        ),
        scores=(
            Score(
                "accuracy",
                "Accuracy",
                "share",
                0.8067,
                0.8933,
                0.0866,
                0.03,
                "binomial error",
                "better",
                True,
            ),
            Score(
                "precision", "Precision", "share", 0.88, 0.9, 0.02, 0.03, "binomial error", "within", False
            ),
            Score("recall", "Recall", "share", 0.7, None, None, None, "", "missing", False),
            Score("latency_ms", "latency ms", "ms", 2.125, 2.5, 0.375, None, "", "unknown", False),
        ),
        gates=(GateChange("beats-baseline", "fail", "pass", "0.8067 against 0.86.", "0.8933 against 0.86."),),
        steps=(
            StepTimes("prepare", "Make the moons", 0.4, 0.4),
            StepTimes("train", "Train the net", 41.0, 49.2),
        ),
        notes=(f"{a} did not record versions of the libraries: it is of an older version.",),
    )
