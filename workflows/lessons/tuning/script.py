"""The fourth lesson as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from workflows.lessons import boostedscript, subject
from workflows.lessons.tuning.info import TUNING
from workflows.lessons.tuning.search import RANGES
from workflows.runs import Run
from workflows.studies import pieces

_LOW = '''
def tune(name, static, channels):
    """CreateHyperParameterTuningJob, and the wait for its end: the best trial's settings."""
    kinds = {"integer": "IntegerParameterRanges", "continuous": "ContinuousParameterRanges"}
    ranges = {
        api: [
            {"Name": key, "MinValue": low, "MaxValue": high, "ScalingType": "Auto"}
            for key, (kind, low, high) in RANGES.items()
            if kind == given
        ]
        for given, api in kinds.items()
    }
    client.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": STRATEGY,
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": OBJECTIVE},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": JOBS, "MaxParallelTrainingJobs": PARALLEL},
            "ParameterRanges": ranges,
            "TrainingJobEarlyStoppingType": "Off",
            "RandomSeed": SEARCH_SEED,
        },
        TrainingJobDefinition={
            "StaticHyperParameters": static,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "InputDataConfig": inputs(channels),
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/{PREFIX}/trials"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": TRAINING_INSTANCE, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": MAX_SECONDS},
        },
        Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
    )
    while True:
        job = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if job["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(POLL)
    if job["HyperParameterTuningJobStatus"] != "Completed":
        raise SystemExit(f"The tuning job is {job['HyperParameterTuningJobStatus']}: {job.get('FailureReason', '')}")
    best = job["BestTrainingJob"]
    print("best trial:", best["TrainingJobName"], best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"], flush=True)
    return best["TunedHyperParameters"]

'''

_HIGH = '''
def tune(name, static, channels):
    """HyperparameterTuner over a ModelTrainer, and the wait for its end: the best trial's settings."""
    kinds = {"integer": IntegerParameter, "continuous": ContinuousParameter}
    trainer = ModelTrainer(
        sagemaker_session=sdk,
        role=ROLE,
        training_image=IMAGE,
        compute=Compute(instance_type=TRAINING_INSTANCE, instance_count=1, volume_size_in_gb=5),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=MAX_SECONDS),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{PREFIX}/trials"),
        hyperparameters=static,
        base_job_name=name,
    )
    tuner = HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name=OBJECTIVE,
        objective_type="Minimize",
        hyperparameter_ranges={
            key: kinds[kind](int(low), int(high)) if kind == "integer" else kinds[kind](float(low), float(high))
            for key, (kind, low, high) in RANGES.items()
        },
        strategy=STRATEGY,
        max_jobs=JOBS,
        max_parallel_jobs=PARALLEL,
        random_seed=SEARCH_SEED,
        tags=[Tag(key=key, value=value) for key, value in TAGS.items()],
    )
    inputs = [
        Channel(
            channel_name=channel,
            content_type=CHANNEL_TYPE,
            data_source=DataSource(s3_data_source=S3DataSource(s3_data_type="S3Prefix", s3_uri=uri, s3_data_distribution_type="FullyReplicated")),
        )
        for channel, uri in channels.items()
    ]
    tuner.tune(inputs=inputs, job_name=name, wait=False)
    job = HyperParameterTuningJob.get(hyper_parameter_tuning_job_name=name, session=session, region=REGION)
    while job.refresh().hyper_parameter_tuning_job_status not in ("Completed", "Failed", "Stopped"):
        time.sleep(POLL)
    if job.hyper_parameter_tuning_job_status != "Completed":
        raise SystemExit(f"The tuning job is {job.hyper_parameter_tuning_job_status}: {job.failure_reason}")
    best = job.best_training_job
    print("best trial:", best.training_job_name, flush=True)
    return dict(best.tuned_hyper_parameters)

'''

_HIGH_IMPORTS = """\
from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
from sagemaker.core.resources import HyperParameterTuningJob
from sagemaker.core.shapes import Channel, DataSource, S3DataSource
from sagemaker.train.tuner import HyperparameterTuner
"""

_MAIN = """
def main():
    make_bucket()
    try:
        with tempfile.TemporaryDirectory() as folder:
            paths, truth = make_data(Path(folder))
            channels = {part: upload(paths[part], f"{PREFIX}/data/{part}") for part in ("train", "validation")}
            asked = upload(paths["test"], f"{PREFIX}/test")
        static = {key: value for key, value in HYPERPARAMETERS.items() if key not in RANGES and key != "eval_metric"}
        groups = {"default": {}, "tuned": tune(NAME, static, channels)}
        for offset, (group, settings) in enumerate(groups.items()):
            found = []
            for number in range(1, RUNS + 1):
                title = f"{group}-{number}"
                seed = str(int(HYPERPARAMETERS["seed"]) + 1000 * offset + number - 1)
                _, model_data = train(title, {**HYPERPARAMETERS, **settings, "seed": seed}, channels)
                found.append(score(truth["test"], transform(title, model_data, asked)))
            values = [value for _, value in found]
            print(f"{group}: {found[0][0]}={np.mean(values):.6g} from {min(values):.6g} to {max(values):.6g}", flush=True)
    finally:
        clean_up(())
"""


def write(run: Run) -> str:
    """The script of a run, with the values that the run used."""
    high = run.interface == "high"
    values = run.parameters
    kind = subject.KINDS[str(values["subject"])]
    ranges = {one.name: (one.kind, one.low_text, one.high_text) for one in RANGES}
    constants = f"""\
STRATEGY = "{values["strategy"]}"
RANGES = {pieces.literal(ranges)}
OBJECTIVE = "validation:{kind.watched}"
JOBS, PARALLEL, RUNS, SEARCH_SEED = {values["jobs"]}, {min(int(values["parallel"]), int(values["jobs"]))}, {values["runs"]}, {values["seed"]}
MODELS = [f"{{NAME}}-{{group}}-{{number}}" for group in ("default", "tuned") for number in range(1, RUNS + 1)]
"""
    return boostedscript.write(
        run,
        TUNING.title,
        4,
        constants,
        _MAIN,
        _HIGH if high else _LOW,
        _HIGH_IMPORTS,
        strategy="MultiRecord",
        max_payload=6,
        max_concurrent=1,
    )
