"""A run's metrics in the order in which they matter, which its study knows."""

from __future__ import annotations

from workflows.runs import Run


def leading(run: Run) -> tuple[str, float]:
    """A run's most important metric; NaN where it has none."""
    from workflows.studies import catalog, measures

    name, value = measures.leading(catalog.known(run.study), run.metrics)
    return name, value if value is not None else float("nan")


def ordered(run: Run) -> dict[str, float]:
    """A run's metrics, those first that its study names, in its order."""
    from workflows.studies import catalog, measures

    return measures.ordered(catalog.known(run.study), run.metrics)
