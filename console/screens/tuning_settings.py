"""The texts of the tuning form and what they mean: ranges as a person writes them, and a sentence for each that is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from console.formatting import count, duration
from workflows import costs
from workflows.observe.tuning_rows import Objective, Range, Scaling
from workflows.studies.parameters import Parameter, ParameterError
from workflows.tuning.draft import TuningDraft
from workflows.tuning.request import NAME_LENGTH, STRATEGIES, Strategy, Template, TuningRequest, WarmStartKind

MOST_RANGES, MOST_CATEGORIES = 30, 30
MOST_JOBS: dict[str, int] = {"Random": 10_000}
MOST_JOBS_ELSE = 750
MOST_PARALLEL = 100
SHORTEST_JOB = 120
"""Seconds that the time limit of a tuning job has at least."""
SMALLEST, LARGEST = "min-resource", "max-resource"
HYPERBAND_ONLY = (SMALLEST, LARGEST)

FIXED, SEARCHED = "fixed", "searched"
SCALINGS: dict[str, Scaling] = {
    "auto": "Auto",
    "linear": "Linear",
    "log": "Logarithmic",
    "reverse log": "ReverseLogarithmic",
}
STRATEGY_HELP = {
    "Bayesian": "a model of the trials so far chooses the next",
    "Random": "evenly at random, any number at a time",
    "Hyperband": "many short trials, the promising ones go on",
    "Grid": "every combination of categories",
}
WARM_STARTS = (
    ("IdenticalDataAndAlgorithm", "same data and image: the parent's trials count"),
    ("TransferLearning", "other data or image: the parent's trials are hints"),
)

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*\Z")
_BETWEEN = re.compile(r"\s*(?:\.\.+|…|\bto\b|–)\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """One hyperparameter of the form: how it is treated (``fixed`` or how it is searched) and the text of its field."""

    name: str
    mode: str
    text: str


def number_fields(draft: TuningDraft) -> tuple[Parameter, ...]:
    """The limits of the form, checked as the parameters of a study are."""
    template = draft.request.templates[0]
    most = draft.request.most_jobs or 0
    smallest, largest = draft.request.resource or (0, 0)
    return (
        Parameter("trials", "int", most or 10, "Trials at most.", minimum=1, maximum=10_000),
        Parameter("parallel", "int", draft.request.parallel, "Trials at the same time. Few at a time learn more from each other.", minimum=1, maximum=MOST_PARALLEL),
        Parameter("trial-seconds", "int", template.max_seconds, "Time limit of each trial.", minimum=1, maximum=2_419_200, unit="seconds"),
        Parameter("job-seconds", "int", draft.request.max_seconds, f"Time limit of the whole tuning job; 0: none, else {SHORTEST_JOB} at least.", minimum=0, maximum=15_768_000, unit="seconds"),
        Parameter("retries", "int", template.retries, "How often a trial is tried again after an error that is not its own.", minimum=0, maximum=30),
        Parameter(SMALLEST, "int", smallest, "What a trial gets at first, as in epochs; 0: found from the hyperparameters.", minimum=0, maximum=2_147_483_647),
        Parameter(LARGEST, "int", largest, "What the most promising trials get; 0: found from the hyperparameters.", minimum=0, maximum=2_147_483_647),
    )  # fmt: skip


def modes(item: Range) -> tuple[tuple[str, str], ...]:
    """How a hyperparameter can be treated: the values of its choice."""
    if item.kind == "categorical":
        return (FIXED, ""), (SEARCHED, "")
    if item.kind == "integer":
        return (FIXED, ""), ("auto", ""), ("linear", ""), ("log", "")
    return (FIXED, ""), ("auto", ""), ("linear", ""), ("log", ""), ("reverse log", "")


def first_mode(item: Range, searched: bool) -> str:
    """The mode that a draft proposes."""
    if not searched:
        return FIXED
    if item.kind == "categorical":
        return SEARCHED
    return next((mode for mode, scaling in SCALINGS.items() if scaling == item.scaling), "auto")


def searched_text(item: Range) -> str:
    """A range as the field shows it: ``0.01 to 0.3``, ``gbtree, dart``."""
    if item.kind == "categorical":
        return ", ".join(item.values)
    if not item.numeric:
        return item.hint
    return f"{item.low_text or f'{item.low:g}'} to {item.high_text or f'{item.high:g}'}"


def parse_range(item: Range, mode: str, text: str) -> Range:
    """The range that a text means.

    Raises:
        ParameterError: It is no range, or one that cannot be searched on this scale.
    """
    if item.kind == "categorical":
        values = tuple(dict.fromkeys(value.strip() for value in text.split(",") if value.strip()))
        if not values:
            raise ParameterError(f"{item.name} needs values with commas between them: a, b, c.")
        if len(values) > MOST_CATEGORIES:
            raise ParameterError(f"{item.name} has {len(values)} values; {MOST_CATEGORIES} is the most.")
        return replace(item, values=values)
    parts = _BETWEEN.split(text.strip())
    if len(parts) != 2:
        raise ParameterError(f"{item.name} cannot be {text.strip()!r}: write its two ends as 0.01 to 0.3.")
    kind = "whole numbers" if item.kind == "integer" else "numbers"
    try:
        low, high = (float(int(part)) if item.kind == "integer" else float(part) for part in parts)
    except ValueError:
        raise ParameterError(f"{item.name} cannot be {text.strip()!r}: its ends are {kind}.") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ParameterError(
            f"{item.name} goes from {parts[0]} to {parts[1]}: the first end has to be the smaller one."
        )
    if mode == "log" and low <= 0:
        raise ParameterError(
            f"{item.name} begins at {parts[0]}: a logarithmic scale has only numbers above 0."
        )
    if mode == "reverse log" and not 0 <= low < high < 1:
        raise ParameterError(f"{item.name}: a reverse logarithmic scale needs both ends from 0 to below 1.")
    return replace(
        item, low=low, high=high, low_text=parts[0], high_text=parts[1], scaling=SCALINGS.get(mode, "Auto")
    )


def parse_target(text: str) -> float | None:
    """The objective value at which it may end; None for an empty text.

    Raises:
        ParameterError: It is no number.
    """
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        raise ParameterError(f"The target {text.strip()!r} is no number. Leave it empty for none.") from None
    if not math.isfinite(value):
        raise ParameterError("The target has to be finite. Leave it empty for none.")
    return value


def parse_seed(text: str) -> int | None:
    """The random seed; None for an empty text.

    Raises:
        ParameterError: It is no whole number from 0.
    """
    if not text.strip():
        return None
    if not text.strip().isdigit() or int(text) > 2_147_483_647:
        raise ParameterError(
            f"The seed {text.strip()!r} is no whole number from 0 to 2147483647. Leave it empty for none."
        )
    return int(text)


def check_name(name: str) -> None:
    """Raises:
    ParameterError: It cannot be the name of a tuning job.
    """
    if not _NAME.match(name) or len(name) > NAME_LENGTH:
        raise ParameterError(
            f"The name {name!r} cannot be used: letters, digits and single hyphens between them, {NAME_LENGTH} at most."
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the form holds, as texts and choices."""

    name: str
    objective: str
    strategy: str
    numbers: Mapping[str, str]
    early_stopping: bool
    target: str
    seed: str
    warm_start: str
    lines: tuple[Line, ...]


def check(draft: TuningDraft, given: Settings) -> tuple[TuningRequest | None, dict[str, str]]:
    """The request that the form means, and a sentence for each field that is wrong (then there is no request)."""
    wrong: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for parameter in number_fields(draft):
        if parameter.name in HYPERBAND_ONLY and given.strategy != "Hyperband":
            continue
        try:
            numbers[parameter.name] = int(parameter.parse(given.numbers[parameter.name]))
        except ParameterError as error:
            wrong[parameter.name] = str(error)
    target: float | None = None
    seed: int | None = None
    try:
        check_name(given.name)
    except ParameterError as error:
        wrong["name"] = str(error)
    try:
        target = parse_target(given.target)
    except ParameterError as error:
        wrong["target"] = str(error)
    try:
        seed = parse_seed(given.seed)
    except ParameterError as error:
        wrong["seed"] = str(error)
    searched, static = _hyperparameters(draft, given, wrong)
    _check_together(given, numbers, searched, wrong)
    if wrong:
        return None, wrong
    first = draft.request.templates[0]
    more = dict(first.more)
    if "StoppingCondition" in more:  # it holds the limit of the training job, too
        more["StoppingCondition"] = {
            **more["StoppingCondition"],
            "MaxRuntimeInSeconds": numbers["trial-seconds"],
        }
    template: Template = replace(
        first,
        objective=_objective(draft, given.objective),
        ranges=searched,
        static=static,
        max_seconds=numbers["trial-seconds"],
        retries=numbers["retries"],
        more=more,
    )
    return replace(
        draft.request,
        name=given.name,
        templates=(template, *draft.request.templates[1:]),
        strategy=cast(Strategy, given.strategy),
        most_jobs=None if given.strategy == "Grid" else numbers["trials"],
        parallel=numbers["parallel"],
        max_seconds=numbers["job-seconds"],
        resource=(numbers[SMALLEST], numbers[LARGEST]) if numbers.get(LARGEST) else None,
        early_stopping=given.early_stopping,
        target=target,
        random_seed=seed,
        warm_start=cast("WarmStartKind | Literal['']", given.warm_start),
    ), {}


def _objective(draft: TuningDraft, name: str) -> Objective:
    known = (*draft.objectives, draft.request.templates[0].objective)
    return next((objective for objective in known if objective.name == name), known[-1])


def _hyperparameters(
    draft: TuningDraft, given: Settings, wrong: dict[str, str]
) -> tuple[tuple[Range, ...], dict[str, str]]:
    ranges = {item.name: item for item in draft.ranges}
    static = {name: value for name, value in draft.request.templates[0].static.items() if name not in ranges}
    searched: list[Range] = []
    for line in given.lines:
        item = ranges[line.name]
        if line.mode == FIXED:
            if line.text.strip():
                static[line.name] = line.text.strip()
            continue
        try:
            searched.append(parse_range(item, line.mode, line.text))
        except ParameterError as error:
            wrong[line.name] = str(error)
    return tuple(searched), static


def _check_together(
    given: Settings, numbers: Mapping[str, int], searched: tuple[Range, ...], wrong: dict[str, str]
) -> None:
    """What is right each by itself and wrong together."""
    trials, parallel = numbers.get("trials"), numbers.get("parallel")
    if not searched and not wrong:
        wrong["hyperparameters"] = (
            "Nothing is searched: change one of the hyperparameters from fixed to a scale."
        )
    if len(searched) > MOST_RANGES:
        wrong["hyperparameters"] = f"{len(searched)} hyperparameters are searched; {MOST_RANGES} is the most."
    if given.strategy not in STRATEGIES:
        wrong["strategy"] = f"There is no strategy {given.strategy!r}."
    if given.strategy == "Grid":
        numeric = [item.name for item in searched if item.kind != "categorical"]
        if numeric:
            wrong.setdefault(
                numeric[0], f"Grid goes through categories only: {numeric[0]} has a range of numbers."
            )
    elif trials is not None:
        most = MOST_JOBS.get(given.strategy, MOST_JOBS_ELSE)
        if trials > most:
            wrong.setdefault("trials", f"{given.strategy} has {most} trials at most.")
        if parallel is not None and parallel > trials:
            wrong.setdefault(
                "parallel", f"{parallel} at the same time are more than the {trials} trials there are."
            )
    if 0 < numbers.get("job-seconds", 0) < SHORTEST_JOB:
        wrong["job-seconds"] = f"A time limit of the whole job has {SHORTEST_JOB} seconds at least; 0: none."
    smallest, largest = numbers.get(SMALLEST, 0), numbers.get(LARGEST, 0)
    if bool(smallest) != bool(largest):
        wrong[SMALLEST if largest else LARGEST] = "Both ends of the resource are given, or none of them."
    elif smallest >= largest > 0:
        wrong[LARGEST] = f"The largest resource has to be above the smallest, {smallest}."
    if given.strategy == "Hyperband" and given.early_stopping:
        wrong.setdefault("early", "Hyperband stops trials by itself: early stopping has to be off.")


def trials_of(request: TuningRequest) -> int:
    """How many trials there are at most: of a grid all combinations."""
    if request.strategy == "Grid":
        return math.prod(len(item.values) for item in request.templates[0].ranges)
    return request.most_jobs or 0


def bound(request: TuningRequest, seconds: float | None) -> str:
    """What it costs at most, and, where the time of one training is known, what it will cost about."""
    template, trials = request.templates[0], trials_of(request)
    machine = f"{template.instance_count} × {template.instance_type}"
    price = costs.per_hour(template.instance_type, costs.TRAINING)
    head = f"{count(trials, 'trial')} on {machine}"
    if price is None:
        return f"{head}: no price is known here for {template.instance_type}; see {costs.SOURCE}"
    hourly = price * template.instance_count / 3600
    longest = trials * template.max_seconds * hourly
    if request.max_seconds:
        longest = min(longest, request.max_seconds * request.parallel * hourly)
    text = f"{head}: ${longest:,.2f} at most, if each takes {duration(template.max_seconds)}"
    if seconds:
        text += f"; about ${trials * min(seconds, template.max_seconds) * hourly:,.3f} if each takes the {duration(seconds)} of this one"
    return f"{text} (estimate, {costs.REGION} prices of {costs.DATE})"
