"""The steps that need no SageMaker: the days, the windows, the series; what is wrong with them; what is free."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from workflows import detached
from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.problem import Problem
from workflows.studies import gates
from workflows.studies.context import Context
from workflows.studies.forecasting import checks, free, lines, scores, told
from workflows.studies.forecasting.windows import DECEMBERS, UNSEEN, Power, Window, pinned, read
from workflows.studies.study import Result

if TYPE_CHECKING:
    from workflows.data.place import Located

DATASET = "energy"
POWER, TRAIN, TEST, WINDOWS, REQUESTS = (
    "power.csv", "train.json", "test.json", "windows.json", "windows-asked.json",
)  # fmt: skip
"""Files of the run: days; the two channels; which days are forecast; what batch transform is asked."""
SETTINGS = ("series", "features", "prediction-length", "backtests")


def located(context: Context) -> Located:
    """Where the days are: the person's own, the folder of real data, what was fetched, else the built-in sample.

    Raises:
        WorkflowError: They are nowhere.
    """
    from workflows.data.place import locate

    source = "synthetic" if context.value("data") == "synthetic" else ""
    try:
        return locate(DATASET, detached.own_configuration(context.run.configuration), source)
    except Problem as problem:
        raise WorkflowError(str(problem)) from problem


def prepare_inputs(context: Context) -> dict[str, Any]:
    """What the series depend on."""
    place = located(context)
    return {"data": place.sha256, "path": str(place.path), **{name: context.value(name) for name in SETTINGS}}


def prepare(context: Context) -> Result:
    """power.csv, windows.json, train.json, test.json and the requests are written.

    Raises:
        WorkflowError: The data cannot be used, or leave no room for the windows.
    """
    from workflows.data.loading import daily_power

    place = located(context)
    context.log(place.note, level="warning" if place.synthetic else "info")
    try:
        daily = daily_power(place)
    except Problem as problem:
        raise WorkflowError(str(problem)) from problem
    power = _power(context, place, daily)
    horizon, form = int(context.value("prediction-length")), context.value("series")
    windows = pinned(power, horizon, int(context.value("backtests")))
    choice = str(context.value("features"))
    made = {
        TRAIN: lines.training(form, windows, power, choice),
        TEST: lines.tested(form, windows, power, choice),
        REQUESTS: [lines.request(form, window, power, choice) for window in windows],
        WINDOWS: [window.as_dict() for window in windows],
    }
    files = [context.work / POWER]
    power.write(files[0])
    for name, content in made.items():
        files.append(context.work / name)
        lines.write(files[-1], content)
    hashes = {f"{path.name}_sha256": sha256(path) for path in files}
    for path in files:
        context.artifact("data", path.name, str(path), hashes[f"{path.name}_sha256"])
    synthetic = " [SYNTHETIC data]" if place.synthetic else ""
    # Short series are cut from the whole one: a line for all of them.
    first = 1 if form == "cold" else len(made[TRAIN])
    parts = [[one] for one in made[TRAIN][:first]] + ([made[TRAIN][first:]] if made[TRAIN][first:] else [])
    context.table(
        f"What is trained on{synthetic}",
        told.TRAINED,
        [told.trained(number, part) for number, part in enumerate(parts, 1)],
    )
    columns = ["windows", "count", "first day", "last day", "days each"]
    told_windows = [
        [group, len(part), str(part[0].start), str(part[-1].end - datetime.timedelta(days=1)), horizon]
        for group in (DECEMBERS, UNSEEN)
        if (part := [window for window in windows if window.group == group])
    ]
    context.table(f"What is forecast; no value of these days is trained on{synthetic}", columns, told_windows)
    days = [str(power.first + datetime.timedelta(days=number)) for number in range(len(power.values))]
    context.figure(
        f"Mean power of each day{synthetic}",
        "line",
        [{"name": "kW", "x": days, "y": [told.rounded(value) for value in power.values.tolist()]}],
        "day",
        "kW",
    )
    return Result(
        outputs={**hashes, "source": place.as_dict(), "synthetic": place.synthetic},
        files=files,
        summary=f"{place.kind}: {len(power.values)} days from {power.first}; "
        f"{len(made[TRAIN])} training series, {len(windows)} windows of {horizon} days to forecast.",
    )


def _power(context: Context, place: Located, daily: Any) -> Power:
    """The days in order; every day once. What is wrong with them is said by name.

    Raises:
        WorkflowError: Days are lacking, repeated or out of order, a value is missing, or there are too few of them.
    """
    import numpy as np

    from workflows.data.audit import dates
    from workflows.data.findings import errors

    found = errors(dates(list(daily.index)))
    missing = int(daily.isna().sum())
    if missing:
        raise WorkflowError(
            f"{place.path}: {missing} days have no value, the first is {daily.index[daily.isna()][0]:%Y-%m-%d}. Fill them in: the "
            "notebook takes the mean of the column minute by minute, before days are made."
        )
    if found:
        first = found[0]
        context.send(
            gates.judgement(context.step, "days", "fail", f"{first.text} {first.remedy}", float(first.count))
        )
        raise WorkflowError(f"{place.path}: {' '.join(one.text for one in found)} {first.remedy}")
    power = Power(daily.index[0].date(), np.array(daily, dtype=float))
    if "test" in place.paths:
        _take_over(context, place, power)
    return power


def _take_over(context: Context, place: Located, power: Power) -> None:
    """The ready-made series count where they are aligned: the notebook's scores are on their values."""
    import numpy as np

    changed = 0
    for _, start, target in checks.parsed(place.paths["test"]):
        if not checks.aligned(start, target, power):
            continue  # the audit tells of it
        begin = (start - power.first).days
        here = slice(max(begin, 0), min(begin + len(target), len(power.values)))
        given = target[here.start - begin : here.stop - begin]
        given = np.where(np.isfinite(given), given, power.values[here])
        changed += int((np.abs(given - power.values[here]) > checks.CLOSE).sum())
        power.values[here] = given
    if changed:
        context.log(
            f"{changed} days have the value of {place.paths['test'].name}, whose missing minutes were filled in otherwise than the table's."
        )


def power(context: Context) -> Power:
    """The days of the run."""
    return Power.read(context.work / POWER)


def windows(context: Context) -> list[Window]:
    """The windows of the run, in the order in which batch transform is asked."""
    return read(context.work / WINDOWS)


def data_inputs(context: Context) -> dict[str, Any]:
    """The content of the series."""
    found = context.of("prepare")
    return {name: found[f"{name}_sha256"] for name in (POWER, TRAIN, TEST, WINDOWS, REQUESTS)}


def audit(context: Context) -> Result:
    """Stamps, alignment, constants, what is never a training target.

    Raises:
        WorkflowError: The series cannot be trusted; the text says which and why.
    """
    context.ledger.verify("prepare")
    found = context.of("prepare")
    days, asked = power(context), windows(context)
    trained = [json.loads(row) for row in (context.work / TRAIN).read_text(encoding="utf-8").splitlines()]
    verdicts = [
        *checks.files(context.step, found["source"]["paths"], days),
        checks.separate(context.step, trained, asked),
        checks.constant(context.step, trained),
        checks.long_enough(context.step, trained, int(context.value("prediction-length"))),
        checks.months(context.step, trained, asked),
        checks.whole_series(context.step, str(context.value("series"))),
    ]
    for one in verdicts:
        context.send(one)
    broken = [one for one in verdicts if one.verdict == "fail"]
    context.table(
        context.titled("Audit"), ["check", "verdict", "what it says"],
        [[one.name, one.verdict, one.reason] for one in verdicts],
    )  # fmt: skip
    if broken:
        raise WorkflowError(" ".join(one.reason for one in broken))
    warned = [one.name for one in verdicts if one.verdict == "warn"]
    return Result(
        outputs={"warnings": warned},
        summary=f"{len(verdicts)} checks passed"
        + (f", with warnings: {', '.join(warned)}." if warned else "."),
    )


def baseline_inputs(context: Context) -> dict[str, Any]:
    """What the free forecasts depend on."""
    return data_inputs(context)


def free_forecasts(context: Context) -> dict[str, list[scores.Judged]]:
    """Each method's forecast of every window beside what came."""
    days, found = power(context), {}
    for method in free.METHODS:
        judged = []
        for window in windows(context):
            history = days.between(days.first, window.start)
            judged.append(
                scores.Judged(
                    days.days(window),
                    free.forecast(method, history, window.days),
                    scores.naive_error(history),
                )
            )
        found[method] = judged
    return found


def baseline(context: Context) -> Result:
    """The free forecasts of all windows, with the scores of DeepAR's own test."""
    context.ledger.verify("prepare")
    asked = windows(context)
    found = free_forecasts(context)
    best: dict[str, str] = {}
    metrics: dict[str, float] = {}
    naive = float("nan")
    for group in (DECEMBERS, UNSEEN):
        places = [number for number, window in enumerate(asked) if window.group == group]
        if not places:
            continue
        by_method = {name: scores.score([judged[n] for n in places]) for name, judged in found.items()}
        if group == DECEMBERS:
            naive = by_method[free.WEEK].mean_wql
        best[group] = min(by_method, key=lambda name: by_method[name].mean_wql)
        rows = [told.row(name, one) for name, one in by_method.items()]
        title = f"Baselines that cost nothing: {told.GROUPS[group]}"
        context.table(context.titled(title), told.COLUMNS, rows)
        prefix = "" if group == DECEMBERS else "unseen_"
        metrics[f"{prefix}baseline_wql"] = by_method[best[group]].mean_wql
        metrics[f"{prefix}baseline_rmse"] = min(one.rmse for one in by_method.values())
    first = best[DECEMBERS]
    return Result(
        outputs={"best": best, "naive_wql": naive, "metrics": metrics},
        summary=f"The best of {len(found)} free forecasts of the notebook's windows, with hindsight: {first}, mean wQL "
        f"{metrics['baseline_wql']:.4f}.",
    )
