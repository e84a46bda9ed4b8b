"""K-Means as a job of the built-in algorithm, and what its log and artefact say before anything is hosted."""

from __future__ import annotations

import math
from typing import Any

from workflows.events import Gate
from workflows.files import sha256
from workflows.studies import gates
from workflows.studies.context import Context
from workflows.studies.population import choosing, chosen, components, jobs, reduced
from workflows.studies.study import Result

MINI_BATCH = 5000
LOGGED = 1e-3
"""The log's distance and that of the artefact differ by at most this share: single precision."""
SMALL = 0.01
"""A cluster with a smaller share of the counties may be a few oddities rather than a segment."""
PATTERN = 0.6
"""From this Jaccard index on a cluster is a pattern whose members are not sure (Hennig 2007): told of, not refused."""
KMEANS_SETTINGS = ("epochs", "init-method", "instance-type")


def train_inputs(context: Context) -> dict[str, Any]:
    """What the model depends on."""
    return {
        "projected": sha256(context.work / reduced.PROJECTED),
        "k": context.of("choose")["k"],
        "image": jobs.image(context, jobs.KMEANS),
        **{name: context.value(name) for name in KMEANS_SETTINGS},
    }


def train(context: Context) -> Result:
    """Trains K-Means with the chosen k on the projected counties."""
    context.ledger.verify("reduce", "choose")
    rows = reduced.projected(context)
    hyperparameters = {
        "feature_dim": str(rows.shape[1]),
        "k": str(context.of("choose")["k"]),
        "mini_batch_size": str(min(MINI_BATCH, len(rows))),
        "epochs": str(context.value("epochs")),
        "init_method": str(context.value("init-method")),
        "eval_metrics": '["msd"]',
    }
    made, files, series = jobs.run(context, jobs.KMEANS, rows, hyperparameters, (jobs.MSD,))
    msds = series[jobs.MSD.name]
    return Result(
        outputs={**made, "hyperparameters": hyperparameters, "log_msd": msds[-1] if msds else None},
        files=files,
        summary=f"K-Means with k = {context.of('choose')['k']} in {made['billable_seconds']:.0f} billable seconds"
        + (f": mean squared distance {msds[-1]:.4f}." if msds else "; its log tells no score."),
    )


def centres(context: Context) -> Any:
    """The trained centres (k, n), in the order of K-Means' own cluster numbers."""
    return components.centroids(context.work / "model-kmeans" / components.FILE)


def nearest(rows: Any, found: Any) -> tuple[Any, Any]:
    """For each row (n, m) its clusters from the nearest to the furthest (n, k), and the Euclidean distances to them in that order."""
    import numpy as np

    wide, middles = np.asarray(rows, dtype=float), np.asarray(found, dtype=float)
    distances = np.sqrt(((wide[:, None, :] - middles[None, :, :]) ** 2).sum(axis=2))
    order = np.argsort(distances, axis=1, kind="stable")
    return order, np.take_along_axis(distances, order, axis=1)


def model_inputs(context: Context) -> dict[str, Any]:
    """What a verdict or a score depends on."""
    return {
        "projected": sha256(context.work / reduced.PROJECTED),
        "pca": context.of("reduce")["model_sha256"],
        "kmeans": context.of("train")["model_sha256"],
        "choice": {name: context.of("choose")[name] for name in ("k", "msd", "stability", "spread", "weakest", "null", "null_spread")},
        **{name: context.value(name) for name in ("goal", "stability", "msd-limit")},
    }  # fmt: skip


def gate(context: Context) -> Result:
    """Explained variance, empty and tiny clusters, stability, chance, the distance against scikit-learn's, log against artefact.

    Raises:
        Refused: One failed, and nobody overruled that.
    """
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    context.ledger.verify("reduce", "choose", "train")
    rows, middles = reduced.projected(context), centres(context)
    order, distances = nearest(rows, middles)
    labels = order[:, 0]
    sizes = np.bincount(labels, minlength=len(middles)).tolist()
    msd = float((distances[:, 0] ** 2).mean())
    silhouette = choosing.silhouette(rows, labels)
    with np.load(context.work / chosen.BEST, allow_pickle=False) as file:
        same = float(adjusted_rand_score(file["labels"], labels))
    choice = context.of("choose")
    overruled = gates.decide(
        context,
        judged(
            context.step,
            explained=float(context.of("reduce")["explained"]),
            goal=float(context.value("goal")),
            sizes=sizes,
            stability=float(choice["stability"]),
            spread=float(choice["spread"]),
            weakest=float(choice["weakest"]),
            asked=bool(context.value("k")),
            bar=float(context.value("stability")),
            silhouette=silhouette,
            null=float(choice["null"]),
            null_spread=float(choice["null_spread"]),
            msd=msd,
            best=float(choice["msd"]),
            limit=float(context.value("msd-limit")),
            logged=context.of("train")["log_msd"],
        ),
    )
    return Result(
        outputs={
            "sizes": sizes,
            "msd": msd,
            "msd_ratio": msd / max(float(choice["msd"]), 1e-300),
            "silhouette": silhouette,
            "agreement_with_sklearn": same,
            "overruled": overruled,
        },
        summary=f"{len(sizes)} clusters of {min(sizes)} to {max(sizes)} counties, silhouette {silhouette:.3f} (chance "
        f"{choice['null']:.3f}); the same as scikit-learn's best to an adjusted Rand index of {same:.3f}."
        + (" Overruled: a gate failed." if overruled else ""),
    )


def judged(
    step: str,
    *,
    explained: float,
    goal: float,
    sizes: list[int],
    stability: float,
    spread: float,
    weakest: float,
    asked: bool,
    bar: float,
    silhouette: float,
    null: float,
    null_spread: float,
    msd: float,
    best: float,
    limit: float,
    logged: float | None,
) -> list[Gate]:
    """The verdicts.

    Args:
        step: The step they belong to.
        explained: Share of the variance that the kept components explain; ``goal`` is wanted.
        sizes: Members of each cluster.
        stability: Mean adjusted Rand index over bootstrap draws, ``spread`` its standard deviation.
        weakest: Jaccard index to which the draws find the weakest segment again; ``bar`` is wanted. Where a person asked for this
            number of segments (``asked``), too little of it is told and not refused.
        silhouette: Of the trained clusters; ``null`` and ``null_spread`` are mean and standard deviation with shuffled columns.
        msd: Mean squared distance to the nearest trained centre; ``best`` the best of scikit-learn's starts, ``limit`` the share by
            which it may be exceeded, ``logged`` what the job's log says (None: nothing).
    """
    verdicts = []

    def add(name: str, verdict: gates.Verdict, reason: str, value: float, threshold: float) -> None:
        verdicts.append(gates.judgement(step, name, verdict, reason, value, threshold))

    reached = explained >= goal - 1e-6
    reason = f"The components that are kept explain {explained:.2%} of the variance; {goal:.0%} is the goal."
    add(
        "variance explained",
        "pass" if reached else "fail",
        reason if reached else f"{reason} Compute more of them.",
        explained,
        goal,
    )
    smallest, rows = min(sizes), sum(sizes)
    if not smallest:
        reason = (
            f"{sizes.count(0)} of {len(sizes)} clusters have no county: the centres lie apart from the data."
        )
        add("no empty cluster", "fail", reason, 0.0, 1.0)
    elif smallest < SMALL * rows:
        reason = f"The smallest cluster has {smallest} of {rows} counties ({smallest / rows:.1%}): rather a few oddities than a segment."
        add("no empty cluster", "warn", reason, float(smallest), SMALL * rows)
    else:
        add(
            "no empty cluster",
            "pass",
            f"Every cluster has at least {smallest} counties.",
            float(smallest),
            1.0,
        )
    verdict: gates.Verdict = "pass" if weakest >= bar else "warn" if asked or weakest >= PATTERN else "fail"
    reason = (
        f"Bootstrap draws find the weakest segment again to a Jaccard index of {weakest:.2f} ({bar:g} is wanted), all together to an "
        f"adjusted Rand index of {stability:.3f} ± {spread:.3f}"
    )
    if weakest < PATTERN:
        reason += (
            f": a segment is an accident of the rows{', but this number was asked for' if asked else ''}"
        )
    elif weakest < bar:
        reason += ": who belongs to a segment is not sure"
    add("stable", verdict, f"{reason}.", weakest, bar)
    needed = null + choosing.CHANCE * null_spread
    reason = f"The silhouette is {silhouette:.3f}; shuffled columns, without any segment, give {null:.3f} ± {null_spread:.3f}"
    clear = silhouette > needed
    add(
        "more than chance",
        "pass" if clear else "fail",
        f"{reason}{'.' if clear else ': these segments are noise.'}",
        silhouette,
        needed,
    )
    ratio = msd / max(best, 1e-300)
    near = ratio <= 1 + limit
    reason = f"The mean squared distance is {msd:.4f}, {ratio - 1:+.1%} against the best of scikit-learn's starts ({best:.4f})"
    reason += (
        "."
        if near
        else f": more than {limit:.0%} above it, K-Means is stuck. More epochs or init-method=kmeans++ help."
    )
    add("as near as possible", "pass" if near else "fail", reason, ratio, 1 + limit)
    if logged is None:
        add(
            "log and model agree",
            "warn",
            "The training log tells no test msd to compare the model with.",
            math.nan,
            LOGGED,
        )
    else:
        off = abs(logged - msd) / max(msd, 1e-300)
        reason = f"The job's log says {logged:.4f}, the model itself gives {msd:.4f}"
        if off <= LOGGED:
            add("log and model agree", "pass", f"{reason}.", off, LOGGED)
        else:
            add(
                "log and model agree",
                "fail",
                f"{reason}: model and rows do not belong together.",
                off,
                LOGGED,
            )
    return verdicts
