"""Requests, drafts and plans: what is written into the API's documents, what is read back, what is recommended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.interfaces.base import MetricDefinition
from workflows.interfaces.tuning.high import sayable
from workflows.observe import jobs, tuning_documents
from workflows.observe.rows import JobDetail
from workflows.observe.tuning_rows import Objective, Range
from workflows.problem import Problem
from workflows.serving import container
from workflows.transforms.documents import creation as transform_creation
from workflows.transforms.draft import from_job
from workflows.transforms.draft import named as transform_named
from workflows.transforms.operations import model_of
from workflows.transforms.request import TransformRequest
from workflows.tuning import defaults, known
from workflows.tuning.documents import creation, request_of, warm_started
from workflows.tuning.draft import draft, named, searched
from workflows.tuning.operations import best_of, deployment
from workflows.tuning.request import (
    Input,
    Template,
    TuningRequest,
    automatic,
    categorical,
    continuous,
    integer,
)

XGBOOST = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"
SCRIPT = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6.0-cpu-py312"
LOSS = Objective(name="loss", direction="Minimize")


def template(**changes: Any) -> Template:
    made = Template(
        image=SCRIPT,
        role="arn:aws:iam::123456789012:role/Lab",
        inputs=(Input(name="train", uri="s3://b/train", content_type="text/csv"),),
        output="s3://b/out",
        objective=LOSS,
        ranges=(
            continuous("rate", 0.01, 1.0, "Logarithmic"),
            integer("depth", 1, 9),
            categorical("kind", ("a", "b")),
        ),
        static={"sagemaker_program": "train.py", "epochs": "3"},
        metrics=(MetricDefinition("loss", "loss=(.*)"),),
    )
    return replace(made, **changes)


def described(request: TuningRequest, **more: Any) -> dict[str, Any]:
    """As SageMaker would describe the job."""
    asked = creation(request)
    return {
        **{name: value for name, value in asked.items() if name != "Tags"},
        "HyperParameterTuningJobStatus": "Completed",
        "CreationTime": 1_700_000_000.0,
        **more,
    }


names = st.text("abcdefgh_", min_size=1, max_size=8)
numeric: Any = st.tuples(
    names, st.floats(0.001, 10), st.floats(11, 1000), st.sampled_from(["Auto", "Linear", "Logarithmic"])
)
some_ranges = st.lists(
    st.one_of(
        numeric.map(lambda item: continuous(item[0], item[1], item[2], item[3])),
        st.tuples(names, st.integers(-5, 5), st.integers(6, 50)).map(lambda item: integer(*item)),
        st.tuples(names, st.lists(names, min_size=1, max_size=4, unique=True)).map(
            lambda item: categorical(item[0], tuple(item[1]))
        ),
        st.tuples(names, names).map(lambda item: automatic(*item)),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda item: item.name,
)


@settings(deadline=None)
@given(
    some_ranges,
    st.sampled_from(["Bayesian", "Random", "Grid"]),
    st.integers(1, 100),
    st.integers(1, 10),
    st.booleans(),
    st.one_of(st.none(), st.floats(-10, 10)),
    st.one_of(st.none(), st.integers(0, 100)),
)
def test_what_is_asked_for_is_read_back(
    ranges: list[Range],
    strategy: Any,
    most: int,
    parallel: int,
    early: bool,
    target: float | None,
    seed: int | None,
) -> None:
    request = TuningRequest(
        name="tune",
        templates=(
            template(
                ranges=tuple(ranges), retries=2, environment={"A": "1"}, more={"EnableNetworkIsolation": True}
            ),
        ),
        strategy=strategy,
        most_jobs=most,
        parallel=parallel,
        early_stopping=early,
        target=target,
        random_seed=seed,
        most_not_improving=4,
        complete_on_convergence=True,
        max_seconds=500,
        autotune=True,
    )
    detail = tuning_documents.detail(described(request))
    again = request_of(detail, "tune")
    assert sorted(again.templates[0].ranges, key=lambda item: item.name) == sorted(
        ranges, key=lambda item: item.name
    )
    # The channel comes back as the whole document that was sent.
    assert creation(again) == creation(request)


def test_boto3_accepts_what_is_written() -> None:
    """Against botocore's own model of the call."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.validate import ParamValidator

    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
    two = TuningRequest(
        name="two",
        templates=(template(name="first"), template(name="second", ranges=(integer("depth", 2, 4),))),
        warm_start="TransferLearning",
        parents=("earlier",),
        resource=(1, 9),
        strategy="Hyperband",
        tags={"team": "moon"},
        target=0.0,
    )
    transform = TransformRequest(
        name="t", model="m", input="s3://b/i", output="s3://b/o", max_payload_mb=0, max_concurrent=3, join="Input",
        input_filter="$[1:]", output_filter="$", strategy="MultiRecord", environment={"A": "1"}, accept="text/csv",
        tags={"team": "moon"},
    )  # fmt: skip
    for operation, asked in (
        ("CreateHyperParameterTuningJob", creation(TuningRequest(name="one", templates=(template(),)))),
        ("CreateHyperParameterTuningJob", creation(two)),
        ("CreateTransformJob", transform_creation(transform)),
    ):
        shape: Any = model.operation_model(operation).input_shape
        assert not ParamValidator().validate(asked, shape).has_errors()
    asked = creation(two)
    assert (
        "TrainingJobDefinition" not in asked
        and "ParameterRanges" not in asked["HyperParameterTuningJobConfig"]
    )
    assert [item["DefinitionName"] for item in asked["TrainingJobDefinitions"]] == ["first", "second"]
    assert (
        asked["HyperParameterTuningJobConfig"]["StrategyConfig"]["HyperbandStrategyConfig"]["MaxResource"]
        == 9
    )
    assert asked["HyperParameterTuningJobConfig"]["TuningJobCompletionCriteria"] == {
        "TargetObjectiveMetricValue": 0.0
    }


def test_the_sdks_tuner_is_used_only_for_what_it_can_say() -> None:
    plain = TuningRequest(name="one", templates=(template(),))
    assert sayable(plain) and sayable(replace(plain, strategy="Grid", most_jobs=None))
    for other in (
        replace(plain, most_jobs=None),
        replace(plain, random_seed=0),
        replace(plain, target=0.0),
        replace(plain, autotune=True),
        replace(plain, strategy="Hyperband", resource=(1, 9)),
        replace(plain, templates=(template(retries=1),)),
        replace(plain, templates=(template(more={"VpcConfig": {}}),)),
        replace(plain, templates=(template(name="named"),)),
        replace(plain, templates=(template(), template())),
    ):
        assert not sayable(other)


def test_a_warm_start_is_its_parent_with_another_name_and_no_seed() -> None:
    request = TuningRequest(name="parent", templates=(template(),), random_seed=4, most_jobs=7)
    child = warm_started(tuning_documents.detail(described(request)), "a" * 40, "TransferLearning")
    assert (child.name, child.parents, child.random_seed, child.most_jobs) == ("a" * 32, ("parent",), None, 7)
    assert child.templates[0].static == template().static


def test_metrics_of_sagemakers_own_algorithms_are_not_sent_back() -> None:
    own = template(image=XGBOOST, static={"num_round": "5", "_tuning_objective_metric": "validation:rmse"})
    detail = tuning_documents.detail(described(TuningRequest(name="own", templates=(own,))))
    assert detail.definitions[0].metric_definitions == {"loss": "loss=(.*)"}
    again = request_of(detail, "again").templates[0]
    assert again.metrics == () and again.static == {"num_round": "5"}


def training(image: str, hyperparameters: dict[str, str], **more: Any) -> JobDetail:
    channels = [
        {
            "ChannelName": name,
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://b/{name}"}},
            "ContentType": "text/csv",
        }
        for name in ("train", "validation")
    ]
    return jobs.detail(
        {
            "TrainingJobName": "fit",
            "TrainingJobStatus": "Completed",
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "RoleArn": "arn:aws:iam::123456789012:role/Lab",
            "InputDataConfig": channels,
            "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 9},
            "StoppingCondition": {"MaxRuntimeInSeconds": 77},
            "HyperParameters": hyperparameters,
            "ModelArtifacts": {"S3ModelArtifacts": "s3://b/out/fit/output/model.tar.gz"},
            "CreationTime": 1_700_000_000.0,
            **more,
        }
    )


def test_a_draft_of_xgboost_searches_what_is_recommended() -> None:
    measured = [
        {"MetricName": name, "Value": 1.0} for name in ("train:rmse", "validation:rmse", "validation:mae")
    ]
    found = draft(
        training(
            XGBOOST,
            {"eta": "0.2", "num_round": "50", "objective": "reg:linear"},
            FinalMetricDataList=measured,
        )
    )
    (made,) = found.request.templates
    assert [item.name for item in made.ranges] == [
        "eta",
        "max_depth",
        "min_child_weight",
        "subsample",
        "gamma",
    ]
    assert made.static == {"num_round": "50", "objective": "reg:linear"}
    assert [(item.name, item.direction) for item in found.objectives] == [
        ("validation:rmse", "Minimize"),
        ("validation:mae", "Minimize"),
    ]
    assert (made.instance_type, made.volume_gb, made.max_seconds) == ("ml.m5.xlarge", 9, 77)
    assert made.metrics == () and found.notes == ()
    assert len(found.request.name) <= 32 and found.request.tags == {"mlconsole:tuned-from": "fit"}
    narrowed = searched(found, (continuous("gamma", 0.0, 1.0),)).templates[0]
    assert narrowed.static == {"eta": "0.2", "num_round": "50", "objective": "reg:linear"}
    unmeasured = draft(training(XGBOOST, {"num_round": "5"}))
    assert unmeasured.objectives[0].name == "validation:rmse"


def test_a_draft_of_a_script_proposes_ranges_around_its_numbers() -> None:
    algorithm = {
        "TrainingImage": SCRIPT,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "train:loss", "Regex": "x"}, {"Name": "val:accuracy", "Regex": "y"}],
    }
    hyperparameters = {
        "sagemaker_program": "train.py", "lr": "0.01", "layers": '"4"', "seed": "3", "name": "net", "share": "0.5", "off": "0",
    }  # fmt: skip
    found = draft(training(SCRIPT, hyperparameters, AlgorithmSpecification=algorithm))
    ranges = {item.name: item for item in found.ranges}
    assert set(ranges) == {"lr", "layers", "share"}
    assert (ranges["lr"].low, ranges["lr"].high, ranges["lr"].scaling) == (0.001, 0.1, "Logarithmic")
    assert (ranges["layers"].low, ranges["layers"].high) == (1, 16)
    assert ranges["share"].high == 1.0
    assert [(item.name, item.direction) for item in found.objectives] == [
        ("val:accuracy", "Maximize"),
        ("train:loss", "Minimize"),
    ]
    assert found.request.templates[0].ranges == () and found.notes
    with pytest.raises(Problem, match="no metric that could be optimised"):
        draft(training(SCRIPT, hyperparameters))


def test_a_job_of_the_sdks_launcher_is_refused_with_the_reason() -> None:
    channel = {
        "ChannelName": "sm_drivers",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/d"}},
    }
    with pytest.raises(Problem, match="own launcher"):
        draft(training(SCRIPT, {}, InputDataConfig=[channel]))


@pytest.mark.parametrize("base", ["x", "a--b__c", "Ünï", "z" * 90, "", "-"])
def test_names_fit_and_are_names(base: str) -> None:
    import re

    for name, most in ((named(base, 1.7e9), 32), (transform_named(base, 1.7e9), 63)):
        assert len(name) <= most
        assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", name)


def xgboost_detail(ranges: tuple[Range, ...]) -> Any:
    own = template(image=XGBOOST, static={"objective": "reg:squarederror", "num_round": "50"}, ranges=ranges)
    return tuning_documents.detail(described(TuningRequest(name="own", templates=(own,))))


def test_default_runs_differ_in_their_seed_alone() -> None:
    planned = defaults.plan(
        xgboost_detail((continuous("eta", 0.1, 0.5),)), ["own-default-02", "own-default-x"], runs=3
    )
    assert planned.names == ("own-default-03", "own-default-04", "own-default-05")
    assert planned.hyperparameters[0] == {"objective": "reg:squarederror", "num_round": "50", "seed": "3"}
    assert [given["seed"] for given in planned.hyperparameters] == ["3", "4", "5"]
    assert planned.filled == {} and planned.notes == ()


def test_what_has_no_default_is_filled_and_said() -> None:
    planned = defaults.plan(xgboost_detail((integer("num_round", 1, 4000), continuous("eta", 0.1, 0.5))))
    assert len(planned.names) == 5
    assert planned.hyperparameters[0]["num_round"] == "100" and "eta" not in planned.hyperparameters[0]
    assert "num_round=100" in planned.notes[0]
    with pytest.raises(Problem, match="0 default runs"):
        defaults.plan(xgboost_detail((integer("num_round", 1, 4000),)), runs=0)
    with pytest.raises(Problem, match="no definition other"):
        defaults.plan(xgboost_detail((integer("num_round", 1, 4000),)), definition="other")


def test_a_script_with_a_seed_gets_another_one_each_time() -> None:
    made = template(static={"sagemaker_program": "train.py", "random_state": "9"})
    planned = defaults.plan(
        tuning_documents.detail(described(TuningRequest(name="s", templates=(made,)))), runs=2
    )
    assert planned.seed == "random_state"
    assert [given["random_state"] for given in planned.hyperparameters] == ["1", "2"]


@pytest.mark.parametrize(
    ("metric", "direction"),
    [("validation:rmse", "Minimize"), ("val_acc", "Maximize"), ("test:f1", "Maximize"), ("auc_loss", "Minimize"),
     ("validation:recall", "Maximize"), ("perplexity", "Minimize")],
)  # fmt: skip
def test_directions_are_guessed_by_name(metric: str, direction: str) -> None:
    assert known.direction_of(metric) == direction


def test_middles_of_ranges() -> None:
    assert known.middle(continuous("a", 1e-4, 1.0, "Logarithmic")) == "0.01"
    assert known.middle(integer("a", 1, 4)) == "2"
    assert known.middle(categorical("a", ("x", "y"))) == "x"
    assert known.middle(automatic("a", "7")) == "7"


def test_each_recommended_range_is_one_that_its_algorithm_is_searched_by() -> None:
    for algorithm in (known.XGBOOST, known.LINEAR, known.KMEANS, known.DEEPAR):
        names = [item.name for item in algorithm.ranges]
        assert len(set(names)) == len(names) and set(algorithm.chosen) <= set(names)
        assert all(item.values or item.low < item.high for item in algorithm.ranges)
        assert all(item.low > 0 for item in algorithm.ranges if item.scaling == "Logarithmic")


def test_what_serves_what_was_trained() -> None:
    assert container(training(XGBOOST, {"num_round": "3"})) == (XGBOOST, {})
    image, environment = container(training(SCRIPT, {"sagemaker_program": "train.py"}))
    assert image == SCRIPT.replace("pytorch-training", "pytorch-inference")
    assert environment["SAGEMAKER_PROGRAM"] == "inference.py"
    sklearn = XGBOOST.replace("sagemaker-xgboost", "sagemaker-scikit-learn")
    _, environment = container(
        training(
            sklearn, {"sagemaker_program": '"fit.py"', "sagemaker_submit_directory": '"s3://b/code.tar.gz"'}
        )
    )
    assert environment == {"SAGEMAKER_PROGRAM": "fit.py", "SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/code.tar.gz"}


def test_a_transform_of_deepar_sends_one_series_at_a_time() -> None:
    found = from_job(training("1.dkr.ecr.us-east-1.amazonaws.com/forecasting-deepar:1", {}), "batch")
    assert (found.request.strategy, found.request.content_type) == ("SingleRecord", "application/jsonlines")
    assert found.training_job == "fit" and found.request.output == "s3://b/out/batch"
    bare = training(XGBOOST, {}, ModelArtifacts={}, TrainingJobStatus="Failed")
    for ask in (lambda: from_job(bare, "x"), lambda: model_of(bare, "x")):
        with pytest.raises(Problem, match="no model artefact"):
            ask()


def test_the_best_over_the_parents_is_deployed() -> None:
    best = {
        "TrainingJobName": "b",
        "CreationTime": 1.0,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {},
    }
    request = TuningRequest(name="tune", templates=(template(),))
    with pytest.raises(Problem, match="no best trial yet"):
        best_of(tuning_documents.detail(described(request)))
    detail = tuning_documents.detail(
        described(request, BestTrainingJob=best, OverallBestTrainingJob={**best, "TrainingJobName": "old"})
    )
    assert best_of(detail).name == "old"
    made = deployment(detail, training(XGBOOST, {}), instance_type="ml.c5.large")
    assert (made.name, made.instance_type, made.role) == (
        "fit",
        "ml.c5.large",
        "arn:aws:iam::123456789012:role/Lab",
    )
    assert made.tags == {"mlconsole:tuning-job": "tune", "mlconsole:training-job": "fit"}


def test_deepars_context_is_as_long_as_its_prediction() -> None:
    deepar = template(
        image="1.dkr.ecr.us-east-1.amazonaws.com/forecasting-deepar:1",
        static={"prediction_length": "24", "time_freq": "H"},
        ranges=(integer("context_length", 1, 200), integer("epochs", 1, 1000)),
    )
    planned = defaults.plan(
        tuning_documents.detail(described(TuningRequest(name="d", templates=(deepar,)))), runs=1
    )
    assert planned.filled == {"context_length": "24", "epochs": "100"}
    # The real container takes no seed, and refuses what it does not know.
    assert planned.seed == "" and "takes no seed" in planned.notes[1]
    clusters = template(
        image="1.dkr.ecr.us-east-1.amazonaws.com/kmeans:1", static={}, ranges=(integer("k", 2, 10),)
    )
    planned = defaults.plan(
        tuning_documents.detail(described(TuningRequest(name="k", templates=(clusters,)))), runs=1
    )
    assert planned.filled == {"k": "6"}


def test_a_grid_has_as_many_trials_as_combinations() -> None:
    ranges = (categorical("a", ("1", "2")), categorical("b", ("x", "y", "z")))
    request = TuningRequest(name="g", templates=(template(ranges=ranges),), strategy="Grid", most_jobs=None)
    detail = tuning_documents.detail(described(request))
    assert detail.row.most_jobs == 6
    assert request_of(detail, "again").most_jobs is None


def test_joined_answers_come_as_their_records_do() -> None:
    plain = TransformRequest(name="t", model="m", input="s3://b/in", output="s3://b/out")
    assert "Accept" not in transform_creation(plain)["TransformOutput"]
    joined = replace(plain, join="Input", content_type="text/csv; charset=utf-8")
    assert transform_creation(joined)["TransformOutput"]["Accept"] == "text/csv"
    assert transform_creation(replace(plain, output_filter="$[0]"))["TransformOutput"]["Accept"] == "text/csv"
    wanted = replace(joined, accept="application/jsonlines")
    assert transform_creation(wanted)["TransformOutput"]["Accept"] == "application/jsonlines"
    other = replace(joined, content_type="application/x-npy")
    assert "Accept" not in transform_creation(other)["TransformOutput"]
