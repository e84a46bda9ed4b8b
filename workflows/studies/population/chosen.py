"""The step that finds out how many segments there are: curves over k, and the rule that reads them."""

from __future__ import annotations

import statistics
from typing import Any

from workflows.studies.context import Context
from workflows.studies.population import choosing, free, notebook, reduced
from workflows.studies.population.choosing import Choice, Point
from workflows.studies.study import Result

SETTINGS = ("k", "k-least", "k-most", "starts", "bootstraps", "nulls", "stability", "seed")
BEST = "best.npz"


def choose_inputs(context: Context) -> dict[str, Any]:
    """What the choice depends on."""
    from workflows.files import sha256

    return {
        "projected": sha256(context.work / reduced.PROJECTED),
        **{name: context.value(name) for name in SETTINGS},
    }


def choose(context: Context) -> Result:
    """Curves of distance, silhouette and stability on the projected counties; best.npz has scikit-learn's segments for the chosen k."""
    import numpy as np

    context.ledger.verify("prepare", "reduce")
    rows = reduced.projected(context)
    seed = int(context.value("seed"))
    by_k = context.of("baseline")["by_k"]
    points: list[Point] = []
    labels: dict[int, Any] = {}
    found_again: dict[int, list[float]] = {}
    ks = free.tried(context, len(rows))
    for number, k in enumerate(ks, 1):
        context.check()
        best = choosing.fit(rows, k, int(context.value("starts")), seed)
        labels[k] = best.labels_
        draws = choosing.stability(
            rows, k, best.labels_, int(context.value("bootstraps")), seed, context.check
        )
        found_again[k] = [float(value) for value in draws.found_again]
        points.append(
            Point(
                k=k,
                msd=float(best.inertia_) / len(rows),
                silhouette=choosing.silhouette(rows, best.labels_),
                stability=statistics.fmean(draws.indices),
                spread=statistics.stdev(draws.indices),
                weakest=float(draws.found_again.min()),
                null=float(by_k[str(k)]["null"]),
                null_spread=float(by_k[str(k)]["null_spread"]),
            )
        )
        context.progress(number, len(ks), "numbers of segments")
    made = _made(context, points)
    _tell(context, points, made)
    chosen = next(point for point in points if point.k == made.k)
    path = context.work / BEST
    np.savez(path, labels=labels[made.k])
    bend = choosing.elbow([point.k for point in points], [point.msd for point in points])
    return Result(
        outputs={
            "k": made.k,
            "reason": made.reason,
            "sound": made.sound,
            "elbow": bend,
            "msd": chosen.msd,
            "silhouette": chosen.silhouette,
            "stability": chosen.stability,
            "spread": chosen.spread,
            "weakest": chosen.weakest,
            "found_again": found_again[made.k],
            "null": chosen.null,
            "null_spread": chosen.null_spread,
        },
        files=[path],
        summary=f"k = {made.k} of {ks[0]} to {ks[-1]}: draws find the weakest segment again to {chosen.weakest:.2f} (elbow at {bend}, "
        f"largest silhouette at {max(points, key=lambda point: point.silhouette).k}).",
    )


def _made(context: Context, points: list[Point]) -> Choice:
    """What the rule or the person says."""
    bar = float(context.value("stability"))
    rule = choosing.choose(points, bar)
    asked = int(context.value("k"))
    if not asked:
        return rule
    point = next(one for one in points if one.k == asked)
    reason = f"asked for; the curves say k = {rule.k}. With {asked}, {choosing.facts(point)}"
    return Choice(asked, reason, sound=point.weakest >= bar and point.clear)


def _tell(context: Context, points: list[Point], made: Choice) -> None:
    ks = [point.k for point in points]
    by_msd = choosing.elbow(ks, [point.msd for point in points])
    said = {
        "elbow of the distance": by_msd,
        "largest silhouette": max(points, key=lambda point: point.silhouette).k,
        "most stable": max(points, key=lambda point: point.weakest).k,
        "chosen": made.k,
        "notebook": notebook.K,
    }
    context.table(
        context.titled("The curves over k"),
        ["k", "mean squared distance", "silhouette", "by chance", "excess", "stability (ARI)",
            "weakest segment", "what says so"],
        [
            [point.k, round(point.msd, 4), round(point.silhouette, 3), f"{point.null:.3f} ± {point.null_spread:.3f}",
             round(point.excess, 3), f"{point.stability:.3f} ± {point.spread:.3f}", round(point.weakest, 2),
             ", ".join(name for name, k in said.items() if k == point.k)]
            for point in points
        ],
    )  # fmt: skip
    bar = float(context.value("stability"))
    ends = [ks[0], ks[-1]]
    context.figure(
        context.titled("Mean squared distance to the nearest centre, over k"),
        "line",
        [
            {"name": "distance", "x": ks, "y": [round(point.msd, 5) for point in points]},
            {"name": "chord", "x": ends, "y": [round(points[0].msd, 5), round(points[-1].msd, 5)]},
            {"name": f"elbow: {by_msd}", "x": [by_msd], "y": [round(points[ks.index(by_msd)].msd, 5)]},
        ],
        "k",
        "squared distance",
    )
    context.figure(
        context.titled("Silhouette over k, and what chance gives"),
        "line",
        [
            {"name": "silhouette", "x": ks, "y": [round(point.silhouette, 4) for point in points]},
            {"name": "shuffled columns", "x": ks, "y": [round(point.null, 4) for point in points]},
        ],
        "k",
        "silhouette",
    )
    context.figure(
        context.titled("Stability over k: what bootstrap draws find again"),
        "line",
        [
            {
                "name": "weakest segment (Jaccard)",
                "x": ks,
                "y": [round(point.weakest, 4) for point in points],
            },
            {"name": f"asked for: {bar:g}", "x": ends, "y": [bar, bar]},
            {
                "name": "all together (adjusted Rand)",
                "x": ks,
                "y": [round(point.stability, 4) for point in points],
            },
        ],
        "k",
        "index",
    )
    context.log(f"k = {made.k}: {made.reason}.", level="info" if made.sound else "warning")
