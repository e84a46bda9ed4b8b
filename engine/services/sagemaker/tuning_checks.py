"""What CreateHyperParameterTuningJob refuses, and the defaults that it fills in."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine import builtin
from engine.errors import ServiceError, validation
from engine.images import Runtime, UnknownImage, resolve
from engine.services.sagemaker import tags, training_checks
from engine.tuning import autotune, children, hyperband, planning, record, warm_start
from engine.tuning.ranges import Parameter, RangeError, combinations, read
from engine.tuning.warm_start import WarmStartError

if TYPE_CHECKING:
    from engine.context import Engine

MAX_SEARCHED = 30
MAX_HYPERPARAMETERS = 100
MAX_PARALLEL = 100
_CHILD = "check-001-00000000"


def completed(engine: Engine, params: Mapping[str, Any]) -> dict[str, Any]:
    """A tuning job's request with its defaults, checked; may read the object store's index.

    Raises:
        ServiceError: ``ValidationException`` that names what is wrong, or ``ResourceLimitExceeded``.
    """
    request = copy.deepcopy({key: value for key, value in params.items() if value is not None})
    tags.check(request.get("Tags", []))
    _check_definitions(request)
    config = request["HyperParameterTuningJobConfig"]
    spaces: list[list[Parameter]] = []
    try:
        for index, definition in enumerate(record.definitions(request)):
            runtime = _runtime(definition)
            _fill_ranges(request, definition, runtime)
            space = read(record.ranges(request, index))
            _check_space(definition, space, runtime)
            # The objective's metric is added afterwards: what is checked is what the person gave.
            example = {parameter.name: parameter.at(0.0) for parameter in space}
            training_checks.check(engine, children.parameters(definition, _CHILD, example))
            _add_objective(definition, record.objective(request, index), runtime)
            # SDK v2 attaches to tuning jobs by it, whatever it sent.
            definition["ResourceConfig"] = children.resource_config(definition)
            spaces.append(space)
    except RangeError as error:
        raise validation(str(error)) from error
    if autotune.enabled(request):
        autotune.fill(config, spaces)
    config.setdefault("TrainingJobEarlyStoppingType", "Off")
    _check_limits(config, spaces)
    _check_strategy(config, record.definitions(request), spaces)
    if request.get("WarmStartConfig"):
        try:
            warm_start.check(engine.store, request)
        except WarmStartError as error:
            raise validation(str(error)) from error
    return request


def _check_definitions(request: Mapping[str, Any]) -> None:
    one, several = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions")
    if bool(one) == bool(several):
        raise validation(
            "You must specify either TrainingJobDefinition or TrainingJobDefinitions, but not both."
            if one
            else "You must specify TrainingJobDefinition or TrainingJobDefinitions."
        )
    config = request["HyperParameterTuningJobConfig"]
    for definition in record.definitions(request):
        for shared, own in (
            ("HyperParameterTuningJobObjective", "TuningObjective"),
            ("ParameterRanges", "HyperParameterRanges"),
        ):
            if config.get(shared) and definition.get(own):
                raise validation(
                    f"Specify either {shared} in HyperParameterTuningJobConfig or {own} in the training job definitions, but not both."
                )
        if not definition.get("TuningObjective") and not config.get("HyperParameterTuningJobObjective"):
            raise validation("An objective metric is required. Specify HyperParameterTuningJobObjective.")
    if several:
        _check_several(config, several)


def _check_several(config: Mapping[str, Any], several: Sequence[Mapping[str, Any]]) -> None:
    for key in ("HyperParameterTuningJobObjective", "ParameterRanges"):
        if config.get(key):
            raise validation(
                f"{key} must not be specified in HyperParameterTuningJobConfig with TrainingJobDefinitions. Specify it in each "
                "training job definition."
            )
    names = [definition.get("DefinitionName") for definition in several]
    if None in names:
        raise validation("Each of the TrainingJobDefinitions must have a DefinitionName.")
    if len(set(names)) != len(names):
        raise validation("The DefinitionName of each of the TrainingJobDefinitions must be unique.")
    types = {
        definition["TuningObjective"]["Type"] for definition in several if definition.get("TuningObjective")
    }
    if len(types) > 1:
        raise validation(
            "All training job definitions must have the same objective Type: a best training job cannot be told otherwise."
        )


def _runtime(definition: Mapping[str, Any]) -> Runtime | None:
    """What runs in place of the definition's image; None where the checks of a training job will refuse it."""
    try:
        return resolve(definition["AlgorithmSpecification"].get("TrainingImage") or "")
    except UnknownImage:
        return None


def _algorithm(definition: Mapping[str, Any], runtime: Runtime | None) -> str:
    """The repository of the built-in algorithm that a definition trains, "" for a script of the person's."""
    static = definition.get("StaticHyperParameters") or {}
    if (
        runtime is None
        or not runtime.builtin
        or runtime.training(static, definition.get("Environment") or {}) != runtime.train
    ):
        return ""
    return runtime.repository


def _fill_ranges(request: dict[str, Any], definition: dict[str, Any], runtime: Runtime | None) -> None:
    """Choose Autotune's ranges, and write down the scales that are left open."""
    config = request["HyperParameterTuningJobConfig"]
    own = request.get("TrainingJobDefinitions") or definition.get("HyperParameterRanges")
    holder, key = (definition, "HyperParameterRanges") if own else (config, "ParameterRanges")
    given = holder.get(key) or {}
    if autotune.enabled(request) and runtime is not None:
        given, static = autotune.ranges(given, runtime.image)
        definition["StaticHyperParameters"] = {**static, **(definition.get("StaticHyperParameters") or {})}
        definition.setdefault("RetryStrategy", {"MaximumRetryAttempts": autotune.RETRIES})
    elif given.get("AutoParameters"):
        raise validation("AutoParameters can be specified only when the Mode of Autotune is Enabled.")
    for kind in ("IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges"):
        items = given.setdefault(kind, [])
        if kind != "CategoricalParameterRanges":
            for item in items:
                item.setdefault("ScalingType", "Auto")
    holder[key] = given


def _check_space(definition: Mapping[str, Any], space: Sequence[Parameter], runtime: Runtime | None) -> None:
    searched = [parameter.name for parameter in space]
    if not searched:
        raise validation("At least one hyperparameter range is required. Provide hyperparameter ranges.")
    if len(searched) > MAX_SEARCHED:
        raise validation(
            f"The number of hyperparameters to search [{len(searched)}] exceeds the maximum of {MAX_SEARCHED}."
        )
    static = definition.get("StaticHyperParameters") or {}
    both = [name for name in searched if name in static]
    if both:
        raise validation(
            f"The following hyperparameters are specified both as static and as tunable: [{', '.join(both)}]. "
            "Remove them from StaticHyperParameters or from the ranges."
        )
    if len(searched) + len(static) > MAX_HYPERPARAMETERS:
        raise validation(
            f"The number of static and tunable hyperparameters [{len(searched) + len(static)}] exceeds the maximum of "
            f"{MAX_HYPERPARAMETERS}."
        )
    algorithm = _algorithm(definition, runtime)
    if algorithm:
        tunable = builtin.tunable(algorithm)
        if not tunable:
            raise validation(
                f"The algorithm, {definition['AlgorithmSpecification']['TrainingImage']}, doesn't support hyperparameter tuning."
            )
        others = [name for name in searched if name not in tunable]
        if others:
            raise validation(
                f"The hyperparameter tuning job that you requested has the following untunable hyperparameters: [{', '.join(others)}]. "
                f"For the algorithm, {definition['AlgorithmSpecification']['TrainingImage']}, you can tune only "
                f"[{', '.join(sorted(tunable))}]. Delete untunable hyperparameters."
            )


def _add_objective(definition: dict[str, Any], wanted: Mapping[str, str], runtime: Runtime | None) -> None:
    """Check the objective, and have the training jobs measure it and know of it, as AWS does."""
    metric, specification = wanted["MetricName"], definition["AlgorithmSpecification"]
    given = [
        item
        for item in specification.get("MetricDefinitions") or []
        if item["Name"] != children.OBJECTIVE_METRIC
    ]
    algorithm = _algorithm(definition, runtime)
    if algorithm:
        objectives = builtin.objectives(algorithm)
        if metric not in objectives:
            raise validation(
                f"The objective metric for the hyperparameter tuning job, [{metric}], isn't valid for the [{specification['TrainingImage']}] "
                f"algorithm. Choose a valid objective metric: [{', '.join(sorted(objectives))}]."
            )
        if objectives[metric] != wanted["Type"]:
            raise validation(
                f"The objective type for the objective metric [{metric}] must be [{objectives[metric]}] for the "
                f"[{specification['TrainingImage']}] algorithm, not [{wanted['Type']}]."
            )
        given = given or builtin.metric_definitions(algorithm)
    regex = next((item["Regex"] for item in given if item["Name"] == metric), None)
    if regex is None:
        raise validation(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric definitions."
        )
    copied = {"Name": children.OBJECTIVE_METRIC, "Regex": regex}
    specification["MetricDefinitions"] = [*given, copied]
    definition["StaticHyperParameters"] = {
        **(definition.get("StaticHyperParameters") or {}),
        children.OBJECTIVE_PARAMETER: metric,
    }
    for flag in (
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
    ):
        definition.setdefault(flag, False)


def _check_limits(config: Mapping[str, Any], spaces: Sequence[Sequence[Parameter]]) -> None:
    limits = config["ResourceLimits"]
    parallel, jobs = limits["MaxParallelTrainingJobs"], limits.get("MaxNumberOfTrainingJobs")
    largest = planning.DEFAULT_RANDOM_JOBS if config["Strategy"] == "Random" else planning.DEFAULT_JOBS
    if (
        jobs is None
        and config["Strategy"] != "Grid"
        and not (limits.get("MaxRuntimeInSeconds") or config.get("TuningJobCompletionCriteria"))
    ):
        raise validation(
            "MaxNumberOfTrainingJobs is required in ResourceLimits unless MaxRuntimeInSeconds or TuningJobCompletionCriteria is specified."
        )
    if jobs is not None and jobs > largest:
        raise _exceeded(
            "total number of training jobs launched by a hyperparameter tuning job", largest, jobs
        )
    if parallel > MAX_PARALLEL:
        raise _exceeded(
            "number of parallel training jobs launched by a hyperparameter tuning job", MAX_PARALLEL, parallel
        )
    if jobs is not None and parallel > jobs:
        raise validation(
            f"MaxParallelTrainingJobs [{parallel}] must be less than or equal to MaxNumberOfTrainingJobs [{jobs}]."
        )
    count = sum(combinations(space) for space in spaces)
    if jobs is not None and config["Strategy"] != "Grid" and count < jobs:
        raise validation(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter combinations for the "
            f"provided ranges [{float(count)}] must be equal or greater than the value of MaxNumberOfJobs, [{jobs}]. "
            "Provide additional ranges."
        )


def _exceeded(what: str, limit: int, wanted: int) -> ServiceError:
    return ServiceError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{what}' is {limit} TrainingJobs, with current utilization of 0 TrainingJobs and a request "
        f"delta of {wanted} TrainingJobs. Reduce the number.",
    )


def _check_strategy(
    config: dict[str, Any], definitions: Sequence[Mapping[str, Any]], spaces: Sequence[Sequence[Parameter]]
) -> None:
    strategy = config["Strategy"]
    if config.get("StrategyConfig") and strategy != "Hyperband":
        raise validation("StrategyConfig can be specified only when Strategy is Hyperband.")
    if strategy == "Grid":
        _check_grid(config, spaces)
    elif strategy == "Hyperband":
        _check_hyperband(config, definitions)


def _check_grid(config: Mapping[str, Any], spaces: Sequence[Sequence[Parameter]]) -> None:
    numbers = [item.name for space in spaces for item in space if item.kind != "Categorical"]
    if numbers:
        raise validation(
            f"Grid search supports only categorical hyperparameters, and [{', '.join(numbers)}] are not. Specify their values in "
            "CategoricalParameterRanges or choose another strategy."
        )
    count = int(sum(combinations(space) for space in spaces))
    given = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if given is not None and given != count:
        raise validation(
            f"MaxNumberOfTrainingJobs [{given}] must be equal to the number of hyperparameter combinations of the grid [{count}]. "
            "Correct it or leave it out."
        )
    if count > planning.DEFAULT_JOBS:
        raise _exceeded(
            "total number of training jobs launched by a hyperparameter tuning job",
            planning.DEFAULT_JOBS,
            count,
        )


def _check_hyperband(config: dict[str, Any], definitions: Sequence[Mapping[str, Any]]) -> None:
    if config["TrainingJobEarlyStoppingType"] != "Off":
        raise validation(
            "TrainingJobEarlyStoppingType must be Off when Strategy is Hyperband: it has its own early stopping mechanism."
        )
    bounds = dict((config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {})
    if "MaxResource" not in bounds:
        found = [_resource(definition) for definition in definitions]
        if None in found:
            raise validation(
                "MaxResource could not be inferred. Specify MaxResource in HyperbandStrategyConfig, or one of the static "
                f"hyperparameters [{', '.join(hyperband.RESOURCE_KEYS)}]."
            )
        bounds["MaxResource"] = max(value for value in found if value is not None)
    bounds.setdefault("MinResource", 1)
    if bounds["MaxResource"] > hyperband.LARGEST:
        raise validation(f"MaxResource [{bounds['MaxResource']}] must be at most {hyperband.LARGEST}.")
    if bounds["MinResource"] >= bounds["MaxResource"]:
        raise validation(
            f"MinResource [{bounds['MinResource']}] must be less than MaxResource [{bounds['MaxResource']}]."
        )
    config["StrategyConfig"] = {"HyperbandStrategyConfig": bounds}


def _resource(definition: Mapping[str, Any]) -> int | None:
    static = definition.get("StaticHyperParameters") or {}
    for key in hyperband.RESOURCE_KEYS:
        try:
            value = int(static[key].strip('"'))
        except (KeyError, ValueError):
            continue
        if value > 0:
            return value
    return None
