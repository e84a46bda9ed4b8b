"""What CreateHyperParameterTuningJob refuses, in AWS's words, before anything is launched."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.conftest import RunningEngine
from tests.engine.jobs import channel, fresh, put
from tests.engine.jobs import finish as finish_job
from tests.engine.tuning import categorical, config, continuous, definition, finish, integer, ranges, tune

XGBOOST = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"
OBJECTIVE = {"Type": "Minimize", "MetricName": "objective"}


def refused(engine: RunningEngine, settings: dict[str, Any], **changes: Any) -> str:
    """The ValidationException that a request is answered with; nothing is left behind."""
    client = engine.client("sagemaker")
    name = fresh("refused")[:32]
    with pytest.raises(ClientError) as raised:
        tune(engine, settings, name, **changes)
    assert raised.value.response["Error"]["Code"] == "ValidationException"
    assert (
        client.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"] == []
    )
    return str(raised.value.response["Error"]["Message"])


X = continuous("x", 0.0, 1.0)
EPOCHS = {"static": {"epochs": "9"}}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (config("Random", 4, 2, continuous("x", 1.0, 0.0)), "must be less than its maximum value"),
        (config("Random", 4, 2, continuous("x", 0.0, 1.0, "Logarithmic")), "only values greater than 0"),
        (config("Random", 4, 2, continuous("x", 0.0, 1.0, "ReverseLogarithmic")), "0<=x<1.0"),
        (config("Random", 4, 2, X, categorical("x", "1")), "duplicate hyperparameters: [x]"),
        (config("Random", 4, 2, *(continuous(f"x{n}", 0.0, 1.0) for n in range(31))), "less than or equal to 30"),
        (
            config("Random", 4, 2, *(continuous(f"x{n}", 0.0, 1.0) for n in range(20)), *(integer(f"n{n}", 0, 9) for n in range(11))),
            "[31] exceeds the maximum of 30",
        ),
        (config("Random", 4, 2, categorical("c", *map(str, range(31)))), "less than or equal to 30"),
        (config("Random", 4, 5), "MaxParallelTrainingJobs [5] must be less than or equal to MaxNumberOfTrainingJobs [4]"),
        (config("Random", None, 2), "MaxNumberOfTrainingJobs is required"),
        (config("Random", 10, 2, categorical("c", "a", "b", "c")), "combinations for the provided ranges [3.0] must be equal or greater"),
        (config("Grid", None, 2), "supports only categorical hyperparameters, and [x] are not"),
        (config("Grid", 5, 2, categorical("c", "a", "b")), "must be equal to the number of hyperparameter combinations of the grid [2]"),
        (config("Hyperband", 4, 2, TrainingJobEarlyStoppingType="Auto"), "must be Off when Strategy is Hyperband"),
        (config("Hyperband", 4, 2), "MaxResource could not be inferred"),
        (
            config("Hyperband", 4, 2, StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 9, "MaxResource": 9}}),
            "MinResource [9] must be less than MaxResource [9]",
        ),
        (
            config("Random", 4, 2, StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}),
            "only when Strategy is Hyperband",
        ),
        (config("Random", 4, 2, HyperParameterTuningJobObjective=None), "An objective metric is required"),
        (
            config("Random", 4, 2, HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "loss"}),
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric definitions.",
        ),
        (config("Random", 4, 2, ParameterRanges=None), "At least one hyperparameter range is required"),
        (
            config("Random", 4, 2, ParameterRanges={"AutoParameters": [{"Name": "x", "ValueHint": "1"}]}),
            "only when the Mode of Autotune is Enabled",
        ),
    ],
)  # fmt: skip
def test_settings_that_cannot_work(engine: RunningEngine, settings: dict[str, Any], said: str) -> None:
    assert said in refused(engine, settings)


@pytest.mark.parametrize(
    ("strategy", "jobs", "parallel"), [("Random", 10_001, 1), ("Bayesian", 751, 1), ("Random", 500, 101)]
)
def test_limits(engine: RunningEngine, strategy: str, jobs: int, parallel: int) -> None:
    with pytest.raises(ClientError) as raised:
        tune(engine, config(strategy, jobs, parallel))
    assert raised.value.response["Error"]["Code"] == "ResourceLimitExceeded"


Make = Callable[[RunningEngine], dict[str, Any]]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda e: definition(e, static={"x": "1"}), "both as static and as tunable: [x]"),
        (lambda e: definition(e, static={f"p{n}": "1" for n in range(98)}), "less than or equal to 100"),
        (lambda e: definition(e, static={f"p{n}": "1" for n in range(97)} | {"y": "1"}), "[101] exceeds the maximum of 100"),
        (lambda e: definition(e, TuningObjective=OBJECTIVE), "but not both"),
        (lambda e: definition(e, HyperParameterRanges=ranges(X)), "but not both"),
        (lambda e: definition(e, ResourceConfig=None), "ResourceConfig.InstanceType is required"),
        (lambda e: definition(e, RoleArn="arn:aws:iam::123456789012:role/other"), "Cross-account pass role"),
        (lambda e: definition(e, OutputDataConfig={"S3OutputPath": "s3://nobodys-bucket/x"}), "nobodys-bucket"),
        (lambda e: definition(e, InputDataConfig=[channel("s3://nobodys-bucket/x")]), "No S3 objects found"),
        (
            lambda e: definition(e, AlgorithmSpecification={"TrainingImage": "x/unheard-of:1", "TrainingInputMode": "File"}),
            "unheard-of",
        ),
    ],
)  # fmt: skip
def test_definitions_that_cannot_work(engine: RunningEngine, make: Make, said: str) -> None:
    many = said.startswith("less than or equal to 100")
    made = make(engine)
    if many:
        made["StaticHyperParameters"] |= {f"q{n}": "1" for n in range(3)}
    assert said in refused(engine, config("Random", 4, 2), TrainingJobDefinition=made)


def test_one_definition_or_several(engine: RunningEngine) -> None:
    own = {"TuningObjective": OBJECTIVE, "HyperParameterRanges": ranges(X)}
    bare = {
        "Strategy": "Random",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 1},
    }

    def several(*changes: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            definition(engine, **{"DefinitionName": f"d{n}", **own, **item}) for n, item in enumerate(changes)
        ]

    assert "either TrainingJobDefinition or TrainingJobDefinitions, but not both" in refused(
        engine, config(), TrainingJobDefinition=definition(engine), TrainingJobDefinitions=several({})
    )
    assert "must have a DefinitionName" in refused(
        engine, bare, TrainingJobDefinitions=several({}, {"DefinitionName": None})
    )
    assert "must be unique" in refused(
        engine, bare, TrainingJobDefinitions=several({}, {"DefinitionName": "d0"})
    )
    assert "same objective Type" in refused(
        engine, bare,
        TrainingJobDefinitions=several({}, {"TuningObjective": {**OBJECTIVE, "Type": "Maximize"}}),
    )  # fmt: skip
    assert "but not both" in refused(engine, config(), TrainingJobDefinitions=several({}, {}))


@pytest.fixture(scope="module")
def xgboost(engine: RunningEngine) -> dict[str, Any]:
    """A definition of the built-in XGBoost."""
    data = put(engine, "tuning/xgboost/train.csv", "\n".join(f"{n % 7},{n},{n * n % 11}" for n in range(40)))
    return definition(
        engine,
        StaticHyperParameters={"num_round": "3"},
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        InputDataConfig=[
            channel(data, "train", ContentType="text/csv"),
            channel(data, "validation", ContentType="text/csv"),
        ],
    )


@pytest.mark.parametrize(
    ("items", "objective", "said"),
    [
        ([X], ("Minimize", "validation:rmse"), "following untunable hyperparameters: [x]"),
        (
            [continuous("eta", 0.1, 0.5)],
            ("Minimize", "validation:happiness"),
            "The objective metric for the hyperparameter tuning job, [validation:happiness], isn't valid",
        ),
        ([continuous("eta", 0.1, 0.5)], ("Maximize", "validation:rmse"), "must be [Minimize]"),
    ],
)
def test_built_in_algorithms_know_what_can_be_tuned(
    engine: RunningEngine,
    xgboost: dict[str, Any],
    items: list[dict[str, Any]],
    objective: tuple[str, str],
    said: str,
) -> None:
    wanted = dict(zip(("Type", "MetricName"), objective, strict=True))
    settings = config("Random", 4, 2, *items, HyperParameterTuningJobObjective=wanted)
    message = refused(engine, settings, TrainingJobDefinition=xgboost)
    assert said in message
    if "untunable" in said:
        assert "max_depth" in message


def test_an_algorithm_without_tunable_hyperparameters_is_named(engine: RunningEngine) -> None:
    image = "382416733822.dkr.ecr.us-east-1.amazonaws.com/pca:1"
    data = put(engine, "tuning/pca/train.csv", "1,2\n3,4\n")
    made = definition(
        engine,
        StaticHyperParameters={"feature_dim": "2", "mini_batch_size": "2"},
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        InputDataConfig=[channel(data, "train", ContentType="text/csv;label_size=0")],
    )
    settings = config("Random", 1, 1, integer("num_components", 1, 2))
    message = refused(engine, settings, TrainingJobDefinition=made)
    assert message == f"The algorithm, {image}, doesn't support hyperparameter tuning."


def test_a_built_in_algorithm_needs_no_metric_definitions(
    engine: RunningEngine, xgboost: dict[str, Any]
) -> None:
    wanted = {"Type": "Minimize", "MetricName": "validation:rmse"}
    items = [integer("max_depth", 1, 4), continuous("eta", 0.1, 0.5)]
    name = tune(
        engine,
        config("Random", 2, 2, *items, HyperParameterTuningJobObjective=wanted),
        TrainingJobDefinition=xgboost,
    )
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed", found
    metrics = found["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]
    [copied] = [item for item in metrics if item["Name"] == "ObjectiveMetric"]
    [chosen] = [item for item in metrics if item["Name"] == "validation:rmse"]
    assert copied["Regex"] == chosen["Regex"]
    best = found["BestTrainingJob"]
    job = engine.client("sagemaker").describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["HyperParameters"]["_tuning_objective_metric"] == "validation:rmse"
    final = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert final["validation:rmse"] == final["ObjectiveMetric"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == pytest.approx(
        final["validation:rmse"]
    )
    # What Describe answers can be sent again; only the algorithm's definitions are more than a request may have.
    bare = {"TrainingImage": XGBOOST, "TrainingInputMode": "File", "MetricDefinitions": [copied]}
    again = tune(
        engine,
        found["HyperParameterTuningJobConfig"],
        TrainingJobDefinition=found["TrainingJobDefinition"] | {"AlgorithmSpecification": bare},
    )
    static = finish(engine, again)["TrainingJobDefinition"]["StaticHyperParameters"]
    assert static == found["TrainingJobDefinition"]["StaticHyperParameters"]
    members = ("HyperParameters", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "StoppingCondition")  # fmt: skip
    engine.client("sagemaker").create_training_job(
        TrainingJobName=f"{again}-best", AlgorithmSpecification=bare, **{key: job[key] for key in members}
    )
    assert finish_job(engine, f"{again}-best")["TrainingJobStatus"] == "Completed"


def test_hyperband_infers_the_largest_resource(engine: RunningEngine) -> None:
    for key in ("epochs", "n_epochs"):
        own = definition(engine, static={key: "9"})
        if key != "epochs":
            # Only the name counts; the script does not know it.
            own["Environment"] = {"FAIL": "unknown argument"}
        name = tune(engine, config("Hyperband", 1, 1), TrainingJobDefinition=own)
        bounds = finish(engine, name)["HyperParameterTuningJobConfig"]["StrategyConfig"]
        assert bounds == {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}


def test_autotune_knows_the_built_in_algorithms(engine: RunningEngine, xgboost: dict[str, Any]) -> None:
    wanted = {"Type": "Minimize", "MetricName": "validation:rmse"}
    hints = [{"Name": "eta", "ValueHint": "0.05"}, {"Name": "max_depth", "ValueHint": "6"}]
    for hinted in ({"AutoParameters": hints}, None):
        wish = config(
            "Random", None, 1, HyperParameterTuningJobObjective=wanted, ParameterRanges=hinted,
            TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 1e9},
        )  # fmt: skip
        static = {"StaticHyperParameters": {"num_round": "3"} if hinted else {}}
        if not hinted:
            # What is searched cannot be static, and the number of rounds is searched.
            wish["ResourceLimits"]["MaxNumberOfTrainingJobs"] = 1
        name = tune(engine, wish, TrainingJobDefinition=xgboost | static, Autotune={"Mode": "Enabled"})
        found = finish(engine, name)
        chosen = found["HyperParameterTuningJobConfig"]["ParameterRanges"]
        by_name = {
            item["Name"]: item
            for kind in ("IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges")
            for item in chosen[kind]
        }
        if hinted:
            assert set(by_name) == {"eta", "max_depth"}
            # The recommended range is 0.1 to 0.5; the hint lies below it.
            assert (float(by_name["eta"]["MinValue"]), float(by_name["eta"]["MaxValue"])) == (0.05, 0.5)
            assert found["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 20
        else:
            assert {"eta", "max_depth", "num_round", "subsample"} <= set(by_name)


JUNK = st.one_of(
    st.none(), st.integers(-3, 10**12), st.text(max_size=40), st.just([]), st.just({}), st.booleans(),
    st.sampled_from(["0", "1e400", "nan", "-1", "Auto", "Logarithmic", "Grid", "Hyperband", "s3://", "ml.m5.large"]),
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every member and item in a request."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [path, *(place for key, item in items for place in _places(item, (*path, key)))]


@settings(max_examples=60)
@given(st.data())
def test_damaged_requests_are_refused_with_a_reason(engine: RunningEngine, data: st.DataObject) -> None:
    items = [continuous("x", 0.1, 1.0), integer("n", 0, 9), categorical("c", "a", "b")]
    request: dict[str, Any] = {
        "HyperParameterTuningJobName": fresh("fuzz")[:32],
        "HyperParameterTuningJobConfig": config("Random", 1, 1, *items),
        "TrainingJobDefinition": definition(engine, Environment={"FAIL": "never mind"}),
    }
    request = json.loads(json.dumps(request))
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(_places(request)[1:]))
        holder: Any = request
        for key in path[:-1]:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[path[-1]] = data.draw(JUNK)
        else:
            del holder[path[-1]]
    client = engine.client("sagemaker", config=Config(parameter_validation=False))
    try:
        client.create_hyper_parameter_tuning_job(**request)
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error
        assert error.response["Error"]["Message"]
    except (AttributeError, TypeError, ValueError):
        return  # botocore cannot even write it down
    else:
        finish(engine, request["HyperParameterTuningJobName"])
