"""PCA as a job of the built-in algorithm, its components, and the counties in them by batch transform: no endpoint."""

from __future__ import annotations

from typing import Any

from workflows.failures import WorkflowError
from workflows.studies.context import Context
from workflows.studies.population import components, free, jobs, local, notebook
from workflows.studies.population.components import Components
from workflows.studies.study import Result

PROJECTED = "projected.npz"
MADE_OF = 10
"""Columns that are told of a component, as many as the notebook plots."""
AGREEMENT = 1e-4
"""Largest difference between a projection by SageMaker and one with the artefact on this machine: single precision."""
MINI_BATCH = 500


def reduce_inputs(context: Context) -> dict[str, Any]:
    """What the components depend on."""
    names = ("goal", "num-components", "instance-type")
    return (
        local.data_inputs(context)
        | {name: context.value(name) for name in names}
        | {"image": jobs.image(context, jobs.PCA)}
    )


def reduce(context: Context) -> Result:
    """Trains PCA, reads its artefact, keeps as many components as the goal needs, projects all counties.

    Raises:
        WorkflowError: A job failed, or the projections are not those of the artefact.
    """
    import numpy as np

    context.ledger.verify("prepare")
    counties, rows = free.scaled(context)
    count, width = free.asked_components(context, len(rows), len(counties.columns)), len(counties.columns)
    hyperparameters = {
        "feature_dim": str(width),
        "num_components": str(count),
        "mini_batch_size": str(min(MINI_BATCH, len(rows))),
        "subtract_mean": "true",
        "algorithm_mode": "regular",
    }
    made, files, _ = jobs.run(context, jobs.PCA, rows, hyperparameters)
    found = components.load(files[-1], components.total_of(rows))
    kept = found.needed(float(context.value("goal")))
    answered = jobs.scored(
        context, jobs.PCA, made["model_uri"], context.work / local.SCALED, len(rows), jobs.projections
    )
    if answered.shape != (len(rows), count):
        raise WorkflowError(
            f"PCA answered {answered.shape[1]} numbers a row; {count} components were asked for. Start a new run."
        )
    projected = answered[:, :kept]
    difference = float(np.abs(projected - found.first(kept).project(rows)).max())
    if difference > AGREEMENT:
        raise WorkflowError(
            f"The projections differ by up to {difference:.2g} from those of the model's artefact: rows and model do not belong "
            "together. Start a new run."
        )
    path = context.work / PROJECTED
    np.savez(path, projected=projected)
    _tell(context, found, kept, counties.columns)
    return Result(
        outputs={
            **made,
            "hyperparameters": hyperparameters,
            "components": kept,
            "computed": count,
            "explained": float(found.explained[kept - 1]),
            "singular": [float(value) for value in found.singular],
            "agreement": difference,
        },
        files=[*files, path],
        summary=f"{kept} of {count} components explain {found.explained[kept - 1]:.2%} of the variance (goal "
        f"{float(context.value('goal')):.0%}); all counties are projected by batch transform.",
    )


def projected(context: Context) -> Any:
    """The counties in the components that were kept, shape (n, components)."""
    import numpy as np

    with np.load(context.work / PROJECTED, allow_pickle=False) as file:
        return file["projected"]


def _tell(context: Context, found: Components, kept: int, columns: list[str]) -> None:
    explained = [float(value) for value in found.explained]
    numbers = list(range(1, len(explained) + 1))
    goal = float(context.value("goal"))
    context.figure(
        context.titled("Variance explained by the first components"),
        "line",
        [
            {"name": "explained", "x": [0, *numbers], "y": [0.0, *(round(value, 6) for value in explained)]},
            {"name": f"goal {goal:.0%}", "x": [0, numbers[-1]], "y": [goal, goal]},
        ],
        "components",
        "share",
    )
    here = context.of("baseline")["singular"]
    table = []
    for number in range(min(max(kept + 3, 10), len(explained))):
        printed = notebook.SINGULAR[number] if number < len(notebook.SINGULAR) else ""
        table.append(
            [f"c_{number + 1}", round(float(found.singular[number]), 3), round(here[number], 3), f"{explained[number]:.4f}",
             printed, notebook.EXPLAINED.get(number + 1, ""), "yes" if number < kept else "no"]
        )  # fmt: skip
    context.table(
        context.titled("Singular values, and the share of the variance explained so far"),
        [
            "component",
            "singular value",
            "here (NumPy)",
            "explained",
            "notebook: value",
            "notebook: explained",
            "kept",
        ],
        table,
    )
    made_of = []
    for number in range(kept):
        parts = found.makeup(number, columns, MADE_OF)
        made_of.append([f"c_{number + 1}", *(f"{name} {weight:+.2f}" for name, weight in parts[:6])])
    context.table(
        context.titled("What the components are made of: the largest weights"),
        ["component", *(f"weight {number}" for number in range(1, min(6, len(columns)) + 1))],
        made_of,
    )
    for number in range(min(kept, 3)):
        parts = found.makeup(number, columns, MADE_OF)
        context.figure(
            context.titled(f"Component c_{number + 1}: its largest weights"),
            "bar",
            [
                {
                    "name": f"c_{number + 1}",
                    "x": [name for name, _ in parts],
                    "y": [round(weight, 4) for _, weight in parts],
                }
            ],
            "column",
            "weight",
        )
