"""Makes the pictures of what is hosted, from real endpoints on the embedded SageMaker: A/B test, endpoint, rollout, costs.

XGBoost and LinearLearner learn two moons, share an endpoint, and are asked labelled rows until one is better.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from picture import SIZE, save, until

ENDPOINT, TEST = "moons", "moons-ab"


def main() -> int:
    """Host, draw, stop the engine."""
    if "MLCONSOLE_HOME" not in os.environ:
        os.environ["MLCONSOLE_HOME"] = tempfile.mkdtemp(prefix="mlconsole-screens-")
    with tempfile.TemporaryDirectory() as folder:
        try:
            host(Path(folder))
            asyncio.run(draw())
        finally:
            still()
            mlconsole("engine", "stop")
    return 0


def still() -> None:
    """End the traffic: it would ask a stopped engine for the rest of its half hour."""
    from workflows.traffic import reports

    for report in reports.list_reports():
        if report.active:
            reports.stop(report)


def mlconsole(*words: str) -> None:
    """Run a command; its words are those of a shell."""
    subprocess.run([sys.executable, "-m", "console", *words], check=True)


def host(folder: Path) -> None:
    """Train three models, and put two of them on one endpoint whose A/B test is fed."""
    import numpy as np
    from sklearn.datasets import make_moons

    points, labels = make_moons(9_000, noise=0.3, random_state=1)
    rows = np.column_stack([labels, points])
    for name, part in (("train", rows[:1_000]), ("labelled", rows[1_000:]), ("asked", rows[1_000:, 1:])):
        np.savetxt(folder / f"{name}.csv", part, delimiter=",", fmt="%.6g")
    train = ("-i", f"train={folder / 'train.csv'}", "--wait", "--yes")
    boosted = ("-s", "objective=binary:logistic", "-s", "num_round=40")
    mlconsole("jobs", "start", "xgboost", "--name", "moons-xgboost", *boosted, *train)
    mlconsole("jobs", "start", "xgboost", "--name", "moons-shallow", *boosted, "-s", "max_depth=3", *train)
    linear = ("-s", "predictor_type=binary_classifier", "-s", "epochs=5", "-s", "mini_batch_size=100")
    mlconsole("jobs", "start", "linear-learner", "--name", "moons-linear", *linear, *train)
    variants = ("xgboost=moons-xgboost", "linear=moons-linear")
    mlconsole("endpoints", "create", ENDPOINT, *variants, "--capture", "100", "--ttl", "8h", "--yes")
    mlconsole("endpoints", "create", "moons-live", "moons-xgboost", "--yes")
    mlconsole(
        "traffic", "run", "moons-live", "-f", str(folder / "asked.csv"), "--rate", "25", "--for", "30m",
        "--detach", "--yes",
    )  # fmt: skip
    mlconsole(
        "ab", "create", ENDPOINT, "--name", TEST, "--control", "linear", "--metric", "accuracy", "--yes"
    )
    mlconsole(
        "ab", "replay", TEST, str(folder / "labelled.csv"), "--label", "0", "--no-header", "--rate", "100",
        "-n", "3000", "--past-verdict", "--yes",
    )  # fmt: skip


async def draw() -> None:
    """Save the screens of the test, of the endpoint, of a rollout that bakes, and of what it all costs."""
    from console.app import make_app
    from console.live import LiveServices
    from console.screens.costs import CostsScreen
    from console.screens.endpoint import EndpointScreen
    from console.screens.experiment import ExperimentScreen
    from console.screens.rollout import RolloutScreen
    from console.widgets.rows import Rows
    from workflows.configuration import load
    from workflows.rollout import record

    app = make_app(LiveServices(load()), theme_name="mlconsole-dark")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(2)
        await app.open_experiment(TEST)
        await until(pilot, lambda: isinstance(app.screen, ExperimentScreen) and app.screen.report is not None)
        await pilot.pause(3)
        save(app, "abtest")
        await app.open_endpoint(ENDPOINT)
        await until(pilot, lambda: isinstance(app.screen, EndpointScreen))
        await pilot.pause(6)
        save(app, "endpoint")
        await asyncio.to_thread(
            mlconsole, "rollout", "start", "moons-live", "moons-shallow", "--wait", "1200", "--yes"
        )
        rollout = record.find("moons-live")
        await app.open_rollout(rollout.id)
        await until(pilot, lambda: isinstance(app.screen, RolloutScreen))
        await until(pilot, lambda: record.read(rollout.folder).known.share > 0)
        await pilot.pause(4)
        save(app, "rollout")
        await pilot.press("6")
        await until(pilot, lambda: isinstance(app.screen, CostsScreen) and app.screen.query_one(Rows).items)
        await pilot.pause(4)
        save(app, "costs")


if __name__ == "__main__":
    sys.exit(main())
