"""Tuning and transform jobs of a small account, made the same way each time."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

from workflows.observe.rows import LogLine, LogTail, SeriesData
from workflows.observe.transform_rows import (
    TransformDetail,
    TransformOutput,
    TransformProgress,
    TransformRow,
)
from workflows.observe.tuning_rows import (
    DefaultRow,
    Definition,
    Objective,
    TrialCounts,
    TrialRow,
    TuningDetail,
    TuningRow,
    TuningView,
)
from workflows.transforms.draft import TransformDraft
from workflows.transforms.request import TransformRequest
from workflows.tuning.draft import TuningDraft
from workflows.tuning.request import Input, Template, TuningRequest, categorical, continuous, integer

NOW = 1_800_000_000.0
OBJECTIVE = Objective(name="validation:rmse", direction="Minimize")
RANGES = (
    continuous("eta", 0.01, 0.5, "Logarithmic"),
    integer("max_depth", 2, 10, "Linear"),
    continuous("subsample", 0.5, 1.0, "Linear"),
    continuous("alpha", 0.0001, 10.0, "Logarithmic"),
    categorical("booster", ("gbtree", "dart")),
)
STATIC = {"num_round": "120", "objective": "reg:squarederror", "eval_metric": "rmse"}
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
BUCKET = "s3://sagemaker-us-east-1-123456789012"


def rmse(tuned: dict[str, str], noise: float) -> float:
    """A landscape with its best place at eta 0.08, depth 5; the booster hardly matters."""
    eta, depth = float(tuned["eta"]), int(tuned["max_depth"])
    value = 3.1 + 0.9 * abs(math.log10(eta) - math.log10(0.08)) + 0.03 * (depth - 5) ** 2
    value += 0.4 * (1 - float(tuned["subsample"])) + (0.05 if tuned["booster"] == "dart" else 0.0)
    return round(value + noise, 5)


def trials(tuning: str, count: int, begun: float, seed: int = 3) -> tuple[TrialRow, ...]:
    """``count`` trials, two at a time: most completed, some stopped early, one failed, one diverged, the last two running."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        near = number / count if draw.random() < 0.7 else 0.0
        eta = 10 ** ((1 - near) * draw.uniform(-2, -0.301) + near * draw.gauss(-1.1, 0.15))
        depth = round((1 - near) * draw.randint(2, 10) + near * draw.gauss(5, 0.8))
        tuned = {
            "eta": f"{min(0.5, max(0.01, eta)):.12g}",
            "max_depth": str(min(10, max(2, depth))),
            "subsample": f"{draw.uniform(0.5, 1):.12g}",
            "alpha": f"{10 ** draw.uniform(-4, 1):.12g}",
            "booster": draw.choice(("gbtree", "dart")),
        }
        created = begun + 5 + 21 * (number // 2) + number % 2
        running = number >= count - 2
        failed, early, diverged = number == 6, number % 7 == 5 and not running, number == 11
        seconds = 18.0 + draw.uniform(-3, 3) - (9 if early else 0)
        value = None if running or failed else 61.7 if diverged else rmse(tuned, draw.gauss(0, 0.05))
        found.append(
            TrialRow(
                name=f"{tuning}-{number + 1:03}-{draw.getrandbits(32):08x}",
                status="InProgress"
                if running
                else "Failed"
                if failed
                else "Stopped"
                if early
                else "Completed",
                objective_status="Pending" if running else "Failed" if failed else "Succeeded",
                value=value,
                metric=OBJECTIVE.name,
                tuned=tuned,
                created=created,
                started=created + 2,
                ended=None if running else created + 2 + seconds,
                tuning_job=tuning,
                failure_reason="AlgorithmError: XGBoostError: Check failed: alpha >= 0, exit code: 1"
                if failed
                else "",
                early_stopped=early,
                cost=0.115 / 3600 * seconds,
            )
        )
    return tuple(found)


def tuning_view(
    name: str = "boston-xgb-0115", *, count: int = 34, active: bool = True, defaults: int = 5
) -> TuningView:
    """A tuning job of 40 trials on its way, or at its end."""
    begun = NOW - (5 + 21 * (count // 2) if active else 7200)
    made = trials(name, count, begun)
    if not active:
        made = tuple(trial for trial in made if not trial.active)
    scored = sorted(
        (trial for trial in made if trial.value is not None), key=lambda trial: trial.value or 0.0
    )
    running = sum(1 for trial in made if trial.active)
    counts = TrialCounts(
        completed=sum(1 for trial in made if trial.status == "Completed"),
        running=running,
        failed=sum(1 for trial in made if trial.status == "Failed"),
        stopped=sum(1 for trial in made if trial.status == "Stopped"),
        succeeded=len(scored),
        pending=running,
    )
    row = TuningRow(
        name=name,
        status="InProgress" if active else "Completed",
        strategy="Bayesian",
        created=begun,
        modified=NOW if active else begun + 400,
        ended=None if active else begun + 400,
        counts=counts,
        most_jobs=40 if active else len(made),
        parallel=2,
        objective=OBJECTIVE.name,
        direction=OBJECTIVE.direction,
        best_value=scored[0].value if scored else None,
        best_job=scored[0].name if scored else "",
    )
    definition = Definition(
        objective=OBJECTIVE,
        ranges=RANGES,
        static=STATIC,
        image=IMAGE,
        role="arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole",
        metric_definitions={OBJECTIVE.name: r".*\[[0-9]+\].*#011validation-rmse:(\S+)"},
        channels=(("train", f"{BUCKET}/boston/train.csv"), ("validation", f"{BUCKET}/boston/validation.csv")),
        output_path=f"{BUCKET}/",
        instances=(("ml.m5.large", 1),),
        max_runtime=600,
    )
    detail = TuningDetail(
        row=row,
        arn=f"arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/{name}",
        objective=OBJECTIVE,
        definitions=(definition,),
        early_stopping="Auto",
        random_seed=7,
        best=scored[0] if scored else None,
    )
    draw = random.Random(5)
    runs = tuple(
        DefaultRow(
            name=f"{name}-default-{number + 1}",
            status="Completed",
            value=round(3.62 + draw.gauss(0, 0.06), 4),
            seed=str(number + 1),
            created=begun + 900 + number,
            started=begun + 902 + number,
            ended=begun + 921 + number,
            cost=0.0006,
        )
        for number in range(defaults)
    )
    return TuningView(detail=detail, trials=made, defaults=runs)


def tuning_jobs() -> tuple[TuningRow, ...]:
    """Four tuning jobs: one running, one done, one failed, one stopped."""

    def ended(name: str, status: str, age: float, strategy: str, **more: Any) -> TuningRow:
        created = NOW - age
        return TuningRow(name=name, status=status, strategy=strategy, created=created, modified=created + 600, ended=created + 600, parallel=2, **more)  # fmt: skip

    return (
        tuning_view().detail.row,
        tuning_view("boston-xgb-0114", count=22, active=False, defaults=0).detail.row,
        ended("fraud-linear-hyperband", "Failed", 30_000, "Hyperband", most_jobs=30, counts=TrialCounts(failed=3)),
        ended("moons-grid", "Stopped", 200_000, "Grid", most_jobs=12, counts=TrialCounts(completed=7, stopped=1), best_value=0.8933, objective="validation:accuracy", direction="Maximize"),
    )  # fmt: skip


def tuning_draft(job: str = "boston-xgboost-20270114-120000-0042") -> TuningDraft:
    """What `draft_tuning` answers."""
    template = Template(
        image=IMAGE,
        role="arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole",
        inputs=(Input(name="train", uri=f"{BUCKET}/boston/train.csv", content_type="text/csv"),),
        output=f"{BUCKET}/",
        objective=OBJECTIVE,
        ranges=RANGES[:3],
        static={**STATIC, "booster": "gbtree", "alpha": "0"},
        max_seconds=600,
        more={"StoppingCondition": {"MaxRuntimeInSeconds": 600}},
    )
    request = TuningRequest(name="boston-xgb-0115-0800", templates=(template,), most_jobs=20, parallel=2)
    others = (Objective(name="validation:mae", direction="Minimize"),)
    return TuningDraft(request=request, objectives=(OBJECTIVE, *others), ranges=RANGES, notes=(f"From training job {job}.",), hyperparameters={**template.static, "subsample": "0.9"})  # fmt: skip


def transforms() -> tuple[TransformRow, ...]:
    """Three transform jobs: one running, one done, one failed at a record."""
    return (
        TransformRow(name="boston-batch-20270115-075830", status="InProgress", created=NOW - 90, modified=NOW, model="boston-xgboost-0042", instance_type="ml.m5.large", instance_count=1),
        TransformRow(name="fraud-batch-20270115-070000", status="Completed", created=NOW - 3600, modified=NOW - 3420, ended=NOW - 3420, model="fraud-linear", instance_type="ml.m5.large", instance_count=2),
        TransformRow(name="moons-batch-20270115-060000", status="Failed", created=NOW - 7200, modified=NOW - 7150, ended=NOW - 7150, failure_reason=FAILURE, model="moons-low-9d01", instance_type="ml.m5.large", instance_count=1),
    )  # fmt: skip


FAILURE = (
    "ClientError: s3://sagemaker-us-east-1-123456789012/moons/test.csv, record 1,204 (line 1,204): the container answered 400: "
    "could not convert string to float: 'n/a'"
)


def transform_detail(row: TransformRow) -> TransformDetail:
    """The description of a job of `transforms`."""
    return TransformDetail(
        row=row,
        arn=f"arn:aws:sagemaker:us-east-1:123456789012:transform-job/{row.name}",
        failure_reason=row.failure_reason,
        input=f"{BUCKET}/boston/test/",
        content_type="text/csv",
        split="Line",
        output=f"{BUCKET}/{row.name}/",
        assemble="Line",
        strategy="MultiRecord",
        max_payload_mb=6,
        max_concurrent=2,
        input_filter="$[1:]",
        join="Input",
        started=row.created + 6,
    )


def transform_progress(row: TransformRow) -> TransformProgress:
    """How far it is: 62 % of 20 MB."""
    begun = row.created + 10
    counts = itertools.accumulate(3000.0 + 400 * ((i * 7) % 5) for i in range(70))
    points = tuple((begun + i, count) for i, count in enumerate(counts))
    records = points[-1][1]
    octets = records * 48
    done = row.status == "Completed"
    return TransformProgress(
        records=records,
        bytes=octets,
        bytes_total=int(octets if done else octets / 0.62),
        records_per_second=3811.0,
        bytes_per_second=182_928.0,
        series=(
            SeriesData("records", points),
            SeriesData("bytes", tuple((x, y * 48) for x, y in points), "bytes"),
            SeriesData("CPUUtilization", tuple((x, 60 + y % 37) for x, y in points), "%", "i-0a1b"),
        ),
    )


def transform_log(row: TransformRow) -> LogTail:
    """Its log."""
    return LogTail((LogLine(row.created + 8, "i-0a1b", "GET /ping 200"), LogLine(row.created + 9, "i-0a1b", "POST /invocations 200")))  # fmt: skip


def transform_output(rows: int = 40) -> TransformOutput:
    """The first rows of what came out."""
    pairs = tuple((f"0.00632,18.0,2.31,0,0.538,{6 + i / 40:.3f},65.2", f"{24 + (i * 7) % 11 / 10:.4f}") for i in range(rows))  # fmt: skip
    return TransformOutput(objects=((f"{BUCKET}/out/test-0.csv.out", 812_400), (f"{BUCKET}/out/test-1.csv.out", 640_100)), rows=pairs, total_rows=16_512)  # fmt: skip


def transform_draft(source: str) -> TransformDraft:
    """What `draft_transform` answers."""
    request = TransformRequest(name=f"{source[:20]}-batch", model="boston-xgboost-0042", input="", output=f"{BUCKET}/batch/")  # fmt: skip
    return TransformDraft(
        request=request, training_job=source, notes=("The model is made when the job starts.",)
    )
