"""Warm start: what a tuning job takes over from the tuning jobs before it, and which ones it may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

from engine.statuses import ENDED
from engine.store import Store
from engine.tuning import record
from engine.tuning.ranges import Parameter, read

MAX_CHANGES = 10
MAX_TRAININGS = 500
# The SDK uploads its launcher and the source code anew for each tuning job: that is neither data nor algorithm.
_CODE_CHANNELS = ("sm_drivers", "code")


class WarmStartError(ValueError):
    """Parents that a tuning job cannot start from; the message says which and why."""


class Prior(NamedTuple):
    """A parent's training: its configuration with the static hyperparameters, and its objective's value."""

    parent: str
    parameters: dict[str, str]
    value: float


def names(request: Mapping[str, Any]) -> list[str]:
    """The parents that a request or document names."""
    config = request.get("WarmStartConfig") or {}
    return [
        item.get("HyperParameterTuningJobName", "")
        for item in config.get("ParentHyperParameterTuningJobs", [])
    ]


def identical(document: Mapping[str, Any]) -> bool:
    """Whether it says that data and algorithm are the parents'."""
    config = document.get("WarmStartConfig") or {}
    return config.get("WarmStartType") == "IdenticalDataAndAlgorithm"


def transfers(document: Mapping[str, Any]) -> bool:
    """Whether it is of type TransferLearning."""
    return (document.get("WarmStartConfig") or {}).get("WarmStartType") == "TransferLearning"


def check(store: Store, request: Mapping[str, Any]) -> None:
    """Refuse parents that AWS refuses.

    Raises:
        WarmStartError: See there.
    """
    parents = names(request)
    if len(set(parents)) != len(parents):
        raise WarmStartError(
            "WarmStartConfig contains duplicate parent hyperparameter tuning jobs. Remove them."
        )
    if len(record.definitions(request)) > 1:
        raise WarmStartError(
            "WarmStartConfig is not supported for hyperparameter tuning jobs with multiple training job definitions."
        )
    count = 0
    for parent in parents:
        found = store.find(record.KIND, parent)
        if found is None:
            raise WarmStartError(
                f"The parent hyperparameter tuning job [{parent}] in WarmStartConfig doesn't exist. Choose another one."
            )
        if found.status not in ENDED:
            raise WarmStartError(
                f"The parent hyperparameter tuning job [{parent}] is in status {found.status}. Parent hyperparameter tuning jobs "
                "must be in a terminal state: Completed, Stopped or Failed."
            )
        _check_parent(request, parent, found.document)
        count += len(record.trials(store, parent))
    if count > MAX_TRAININGS:
        raise WarmStartError(
            f"The parent hyperparameter tuning jobs launched {count} training jobs, and at most {MAX_TRAININGS} can be taken over."
        )


def _check_parent(request: Mapping[str, Any], parent: str, document: Mapping[str, Any]) -> None:
    if len(record.definitions(document)) > 1:
        raise WarmStartError(
            f"The parent hyperparameter tuning job [{parent}] has multiple training job definitions and can't be a parent."
        )
    mine, its = record.objective(request), record.objective(document)
    if mine != its:
        raise WarmStartError(
            f"The objective metric [{mine['Type']} {mine['MetricName']}] must be the same as that of the parent hyperparameter "
            f"tuning job [{parent}], [{its['Type']} {its['MetricName']}]."
        )
    tuned, before = _types(request), _types(document)
    static, static_before = _static(request), _static(document)
    if len(tuned) + len(static) != len(before) + len(static_before):
        raise WarmStartError(
            f"The total number of static and tunable hyperparameters [{len(tuned) + len(static)}] must be the same as in the parent "
            f"hyperparameter tuning job [{parent}], [{len(before) + len(static_before)}]."
        )
    changed = sorted(name for name in tuned.keys() & before.keys() if tuned[name] != before[name])
    if changed:
        raise WarmStartError(
            f"The type of the tunable hyperparameters [{', '.join(changed)}] must be the same as in the parent hyperparameter "
            f"tuning job [{parent}]."
        )
    changes = _changes(document, static)
    if changes > MAX_CHANGES:
        raise WarmStartError(
            f"The number of changes from tunable to static hyperparameters and of values of static hyperparameters [{changes}] "
            f"compared to the parent hyperparameter tuning job [{parent}] exceeds the maximum of {MAX_CHANGES}."
        )
    if identical(request) and _subject(request) != _subject(document):
        raise WarmStartError(
            f"With WarmStartType IdenticalDataAndAlgorithm the algorithm and the input data must be the same as in the parent "
            f"hyperparameter tuning job [{parent}]. Use TransferLearning instead."
        )


def _types(document: Mapping[str, Any]) -> dict[str, str]:
    return {parameter.name: parameter.kind for parameter in read(record.ranges(document))}


def _static(document: Mapping[str, Any]) -> dict[str, str]:
    static = record.definitions(document)[0].get("StaticHyperParameters") or {}
    return {name: value for name, value in static.items() if name != "_tuning_objective_metric"}


def _changes(parent: Mapping[str, Any], static: Mapping[str, str]) -> int:
    """How far static hyperparameters are from a parent's, as the developer guide counts ("Warm Start Tuning Restrictions").

    One that was tunable counts once, or once for each category; a static one with another value counts twice when it is a text,
    whose two values are categories. Where the code lies and what the SDK tells its container are neither.
    """
    before = _static(parent)
    categories = {
        parameter.name: len(parameter.values) if parameter.kind == "Categorical" else 1
        for parameter in read(record.ranges(parent))
    }
    changed = [
        name
        for name, value in static.items()
        if name in before and value != before[name] and not name.startswith("sagemaker_")
    ]
    numbers = [name for name in changed if _is_number(static[name]) and _is_number(before[name])]
    return sum(categories.get(name, 0) for name in static) + 2 * len(changed) - len(numbers)


def _is_number(text: str) -> bool:
    try:
        float(text.strip('"'))
    except ValueError:
        return False
    return True


def _subject(document: Mapping[str, Any]) -> tuple[Any, ...]:
    """Algorithm and data: the image, and where each channel comes from."""
    definition = record.definitions(document)[0]
    channels = sorted(
        (channel["ChannelName"], str(sorted(_source(channel).items())))
        for channel in definition.get("InputDataConfig") or []
        if channel["ChannelName"] not in _CODE_CHANNELS
    )
    return definition["AlgorithmSpecification"].get("TrainingImage"), channels


def _source(channel: Mapping[str, Any]) -> dict[str, Any]:
    source = channel["DataSource"].get("S3DataSource") or {}
    return {key: source.get(key) for key in ("S3DataType", "S3Uri")}


def take(store: Store, request: Mapping[str, Any]) -> list[Prior]:
    """What the parents' successful trainings found: own ones only, not those of the parents' parents."""
    found = []
    for parent in names(request):
        document = store.get(record.KIND, parent).document
        static = _static(document)
        found += [
            Prior(parent, {**static, **trial.parameters}, trial.value)
            for trial in record.trials(store, parent)
            if trial.succeeded and trial.value is not None
        ]
    return found


def usable(prior: Sequence[Prior], space: Sequence[Parameter]) -> list[Prior]:
    """The trainings that lie within the ranges that are searched now."""
    return [
        item
        for item in prior
        if all(parameter.contains(item.parameters.get(parameter.name, "")) for parameter in space)
    ]


def scores(values: Sequence[float]) -> list[float]:
    """Values by their ranks, as quantiles of the normal distribution: what other data's objective can be compared by."""
    order = sorted(values)
    normal = NormalDist()
    middle = {value: order.index(value) + (order.count(value) + 1) / 2 for value in set(values)}
    return [normal.inv_cdf((middle[value] - 0.5) / len(values)) for value in values]


def on_parents_scale(
    own: Sequence[tuple[Mapping[str, str], float]], prior: Sequence[Prior], space: Sequence[Parameter]
) -> tuple[list[float], list[float]]:
    """The values of the own trainings and of the parents' as one objective that means the same for both.

    Other data gives other values, so each tuning job's are replaced by the scores of their ranks. That tells nothing of a few own
    trainings, which were chosen because the parents' were good there: theirs are shifted to the level of the nearest parents'.
    """
    theirs = [0.0] * len(prior)
    for parent in dict.fromkeys(item.parent for item in prior):
        places = [place for place, item in enumerate(prior) if item.parent == parent]
        for place, score in zip(places, scores([prior[place].value for place in places]), strict=True):
            theirs[place] = score
    if not own:
        return [], theirs
    mine = scores([value for _, value in own])
    if prior:
        nearest = [
            min(range(len(prior)), key=lambda place: _distance(given, prior[place].parameters, space))
            for given, _ in own
        ]
        level = sum(theirs[place] for place in nearest) / len(nearest)
        mine = [score + level for score in mine]
    return mine, theirs


def _distance(one: Mapping[str, str], other: Mapping[str, str], space: Sequence[Parameter]) -> float:
    found = 0.0
    for parameter in space:
        a, b = one[parameter.name], other[parameter.name]
        if parameter.kind == "Categorical":
            found += a != b
        else:
            found += (parameter.share(a) - parameter.share(b)) ** 2
    return found


def overall_best(
    store: Store, document: Mapping[str, Any], own: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The best training of a tuning job and its parents, as a summary with the tuning job's name.

    What was found to be the best before stays a candidate: the parents may be deleted.
    """
    before = document.get("OverallBestTrainingJob")
    candidates = [before] if before else []
    if own is not None:
        candidates.append({**own, "TuningJobName": document["HyperParameterTuningJobName"]})
    for parent in names(document):
        found = store.find(record.KIND, parent)
        best = found.document.get("BestTrainingJob") if found else None
        if best:
            candidates.append({**best, "TuningJobName": parent})
    sign = 1 if record.minimize(document) else -1
    return min(
        candidates,
        key=lambda item: sign * item["FinalHyperParameterTuningJobObjectiveMetric"]["Value"],
        default=None,
    )
