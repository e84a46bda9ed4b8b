"""Baselines that cost nothing: PCA and k-means on this machine, k-means without PCA, and what chance gives."""

from __future__ import annotations

import statistics
from typing import Any

from workflows.studies.context import Context
from workflows.studies.population import choosing, components, data, local
from workflows.studies.study import Result

STARTS = 5
SETTINGS = ("goal", "num-components", "k", "k-least", "k-most", "nulls", "seed")


def scaled(context: Context) -> tuple[data.Counties, Any]:
    """The counties, and their values on the common scale as SageMaker gets them (n, d)."""
    counties = data.load(context.work / local.COUNTIES)
    return counties, data.Scaler.load(context.work / local.SCALER).scaled(counties.values)


def asked_components(context: Context, rows: int, columns: int) -> int:
    """How many components PCA computes."""
    return min(int(context.value("num-components")) or columns - 1, columns, rows - 1)


def tried(context: Context, rows: int) -> list[int]:
    """The numbers of segments that are tried."""
    value = context.value
    return choosing.tried(int(value("k")), int(value("k-least")), int(value("k-most")), rows)


def baseline_inputs(context: Context) -> dict[str, Any]:
    """What the baselines depend on."""
    return local.data_inputs(context) | {name: context.value(name) for name in SETTINGS}


def baseline(context: Context) -> Result:
    """Explained variance here; for each k what k-means gives with and without PCA, with shuffled columns, and at random."""
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    context.ledger.verify("prepare")
    counties, rows = scaled(context)
    seed, nulls = int(context.value("seed")), int(context.value("nulls"))
    found = components.fitted(rows, asked_components(context, len(rows), len(counties.columns)))
    kept = found.needed(float(context.value("goal")))
    projected = found.first(kept).project(rows)
    ks = tried(context, len(rows))
    total = found.total / len(rows)
    random = np.random.default_rng(seed)
    by_k: dict[str, dict[str, Any]] = {}
    table = []
    for number, k in enumerate(ks, 1):
        context.check()
        with_pca = choosing.fit(projected, k, STARTS, seed).labels_
        without = choosing.fit(rows, k, STARTS, seed).labels_
        chance = choosing.null(projected, k, nulls, seed)
        spread = statistics.stdev(chance)
        mixed = random.permutation(with_pca)
        agreement = float(adjusted_rand_score(with_pca, without))
        values = {
            "null": statistics.fmean(chance),
            "null_spread": spread,
            "explained": 1 - within(rows, with_pca) / total,
            "explained_without": 1 - within(rows, without) / total,
            "explained_at_random": 1 - within(rows, mixed) / total,
            "agreement": agreement,
        }
        by_k[str(k)] = values
        table.append(
            [k, *(f"{values[name]:.1%}" for name in ("explained", "explained_without", "explained_at_random")),
             round(agreement, 3), round(choosing.silhouette(rows, without), 3), f"{values['null']:.3f} ± {spread:.3f}"]
        )  # fmt: skip
        context.progress(number, len(ks), "numbers of segments")
    context.table(
        context.titled("Free baselines: variance that segments explain, and chance"),
        [
            "k",
            "PCA, k-means",
            "k-means without PCA",
            "random segments",
            "agreement (ARI)",
            "silhouette without PCA",
            "silhouette by chance",
        ],
        table,
    )
    return Result(
        outputs={
            "singular": [float(value) for value in found.singular],
            "explained": float(found.explained[kept - 1]),
            "components": kept,
            "by_k": by_k,
        },
        summary=f"{kept} components explain {found.explained[kept - 1]:.1%} here; chance gives silhouettes of "
        f"{by_k[str(ks[0])]['null']:.3f} (k = {ks[0]}) to {by_k[str(ks[-1])]['null']:.3f} (k = {ks[-1]}).",
    )


def within(rows: Any, labels: Any) -> float:
    """The mean squared distance of rows to the mean of their cluster."""
    import numpy as np

    wide = np.asarray(rows, dtype=float)
    return sum(components.total_of(wide[labels == label]) for label in np.unique(labels)) / len(wide)
