"""Makes the pictures of the documentation from a real run on the embedded SageMaker.

It runs the moons study and tunes XGBoost in a home of its own, opens the console on it, and saves what is on the screen. What is
hosted is in `hosted.py`, which can be run alone, too.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile

import hosted
from picture import SIZE, save, until

TRAINED = "diabetes-xgboost"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def main() -> int:
    """Run and draw; what is hosted comes last, and stops the engine."""
    if "MLCONSOLE_HOME" not in os.environ:
        os.environ["MLCONSOLE_HOME"] = tempfile.mkdtemp(prefix="mlconsole-screens-")
    from workflows import runs
    from workflows.configuration import load

    train()

    for number, interface in enumerate(("low", "high")):
        run = runs.start("moons", {"seed": number + 1}, interface=interface, configuration=load())
        for _ in runs.follow(run):
            pass
        print(f"{run.id}: {runs.read(run.folder).status}")
    asyncio.run(draw())
    return hosted.main()


def train() -> None:
    """Train the built-in XGBoost on the diabetes data of scikit-learn, through boto3: what the tuning job is made of."""
    import io

    import numpy as np
    from sklearn.datasets import load_diabetes

    from workflows.configuration import load
    from workflows.platform import open_platform

    platform = open_platform(load())
    features, target = load_diabetes(return_X_y=True)
    rows = np.column_stack([target, features])[np.random.default_rng(0).permutation(len(target))]
    storage, sagemaker = platform.client("s3"), platform.client("sagemaker")
    channels = []
    for name, part in (("train", rows[:300]), ("validation", rows[300:])):
        text = io.StringIO()
        np.savetxt(text, part, delimiter=",", fmt="%.6g")
        storage.put_object(
            Bucket=platform.bucket, Key=f"diabetes/{name}/data.csv", Body=text.getvalue().encode()
        )
        place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{platform.bucket}/diabetes/{name}/"}
        channels.append(
            {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": place}}
        )
    sagemaker.create_training_job(
        TrainingJobName=TRAINED,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        RoleArn=platform.role_arn,
        HyperParameters={"num_round": "60", "objective": "reg:squarederror", "eval_metric": "rmse,mae"},
        InputDataConfig=channels,
        OutputDataConfig={"S3OutputPath": f"s3://{platform.bucket}/diabetes"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=TRAINED, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
    )


async def draw() -> None:
    """Save the screens of a run that is under way, of its results, of the jobs, and of a tuning job."""

    from textual.widgets import Input

    from console.app import Console, make_app
    from console.live import LiveServices
    from console.screens.form import FormScreen
    from console.screens.job import JobScreen
    from console.screens.jobs import JobsScreen
    from console.screens.run import RunScreen
    from console.screens.tuning_form import TuningFormScreen
    from console.screens.tuning_job import TuningJobScreen
    from workflows.configuration import load

    app: Console = make_app(LiveServices(load()), theme_name="mlconsole-dark")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("4")
        await pilot.pause(1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FormScreen))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.current is not None and screen.state.current.id == "deploy")
        app.flash_text = None
        await pilot.pause(2.2)
        save(app, "run")
        await until(pilot, lambda: screen.state.finished is not None)
        await pilot.press("tab")
        await pilot.pause(1)
        save(app, "results")
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen) and app.screen.rows().current)
        await pilot.pause(4)
        save(app, "jobs")
        await app.open_job(TRAINED)
        trained = app.screen
        assert isinstance(trained, JobScreen)
        await until(pilot, lambda: trained.detail)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, TuningFormScreen))
        form = app.screen
        form.query_one("#t-trials", Input).value = "30"
        form.query_one("#t-seed", Input).value = "1"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, TuningJobScreen))
        job = app.screen
        assert isinstance(job, TuningJobScreen)
        await until(pilot, lambda: job.seen is not None and not job.seen.active)
        await asyncio.to_thread(app.services.start_defaults, job.name_of, 5)
        await until(
            pilot, lambda: job.seen is not None and len(job.seen.defaults) == 5 and not job.seen.active
        )
        await pilot.pause(3)
        app.flash_text = None
        job.draw_frame()
        save(app, "tuning")


if __name__ == "__main__":
    sys.exit(main())
