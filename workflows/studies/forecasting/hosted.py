"""Hosting the median job, and asking it live: as in batch, about the unseen year, and what would be if."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.studies import gates, hosting
from workflows.studies.context import Context
from workflows.studies.forecasting import consistency, features, lines, local, told
from workflows.studies.forecasting.free import MEAN
from workflows.studies.forecasting.judged import stored
from workflows.studies.forecasting.scores import LEVELS, Forecast, Judged, Scores, naive_error, score
from workflows.studies.forecasting.trained import image
from workflows.studies.forecasting.windows import DECEMBERS, UNSEEN, UNSEEN_YEAR, Power, Window
from workflows.studies.study import Result

JSON = "application/json"
COMPARED = (0.1, 0.5, 0.9)
"""Levels at which live and batch forecasts are compared."""
EMPTY, KNOWN = "DeepAR, from an empty target", "DeepAR, from its history"
BEFORE, MONTH, DAYWISE = (
    "mean of the 30 days before", "mean of the month in earlier years", "earlier years day by day",
)  # fmt: skip
FREE = (BEFORE, MONTH, DAYWISE)
NORMAL_95 = 1.96
LIVE_PATHS = 200
"""Sample paths that are asked for as they are: an endpoint's answer may have 6 MB."""


def deploy_inputs(context: Context) -> dict[str, Any]:
    """What the endpoint depends on."""
    chosen = context.of("evaluate")["chosen"]
    return {
        "model": context.of("train")["models"][chosen]["sha256"],
        "job": chosen,
        "instance_type": context.value("hosting-instance-type"),
        "image": image(context),
    }


def deploy(context: Context) -> Result:
    """Model, endpoint configuration and endpoint of the chosen job, until it is in service."""
    chosen = context.of("evaluate")["chosen"]
    model_uri = context.of("train")["models"][chosen]["model_uri"]
    return hosting.host_built_in(context, image(context), model_uri, chosen)


def predict_inputs(context: Context) -> dict[str, Any]:
    """What the answers depend on."""
    return deploy_inputs(context) | {
        "data": local.data_inputs(context),
        "samples": context.value("samples"),
        "what_if": context.value("what-if"),
    }


def predict(context: Context) -> Result:
    """The notebook's windows live; the unseen year from an empty target; another calendar.

    Raises:
        WorkflowError: The hosted model answers from another distribution than the one that was judged.
    """
    context.ledger.verify("prepare", "train", "evaluate")
    asked, days = local.windows(context), local.power(context)
    offline = stored(context, context.of("evaluate")["chosen"])
    answers = [_agree(context, days, asked, offline)]
    metrics: dict[str, float] = {"agreement_sigma": answers[0]["sigma"]}
    summary = "Live forecasts agree with the batch forecasts"
    unseen, told_unseen = _unseen(context, days, asked, offline)
    answers.append(unseen)
    metrics |= unseen["metrics"]
    what_if = _what_if(context, days, asked)
    if what_if:
        answers.append(what_if)
        metrics["what_if_kw"] = what_if["difference"]
    request = lines.request(context.value("series"), asked[0], days, str(context.value("features")))
    body = [request]
    seconds = hosting.latencies(context, lambda rows: _ask(context, list(rows), LIVE_PATHS), body)
    metrics["latency_ms_p50"] = 1000 * seconds[len(seconds) // 2]
    path = context.work / "predictions.json"
    path.write_text(json.dumps(answers, indent=1, default=str) + "\n", encoding="utf-8")
    context.artifact("predictions", path.name, str(path), sha256(path))
    return Result(
        outputs={"metrics": metrics, "unseen": unseen["verdict"], "predictions_sha256": sha256(path)},
        files=[path],
        summary=f"{summary}; {told_unseen}",
    )


def _agree(context: Context, days: Power, asked: list[Window], offline: list[Forecast]) -> dict[str, Any]:
    """Live sample paths of the notebook's windows against the batch quantiles: both are samples, so they agree up to chance."""
    form, choice = context.value("series"), str(context.value("features"))
    samples = int(context.value("samples"))
    places = [number for number, window in enumerate(asked) if window.group == DECEMBERS]
    found = [_paths(context, lines.request(form, asked[n], days, choice)) for n in places]
    rows, worst = [], 0.0
    for place, (forecast, paths) in zip(places, found, strict=True):
        cells: list[Any] = [asked[place].name]
        for level in COMPARED:
            share, sigma, error = consistency.distance(paths, offline[place], samples, level)
            worst = max(worst, sigma)
            cells.append(f"{share:.3f} ± {error:.3f}")
        gap = forecast.median - offline[place].median
        rows.append([*cells, told.rounded(float(abs(gap).mean()))])
    columns = [
        "window",
        *(f"below batch {level:g}" for level in COMPARED),
        "mean |difference| of medians, kW",
    ]
    title = context.titled(
        f"{len(found[0][1])} live sample paths a window against batch quantiles of {samples}"
    )
    context.table(title, columns, rows)
    reason = f"The largest distance of a live forecast from its batch forecast is {worst:.1f} standard errors of sampling."
    agrees = worst <= consistency.MOST
    context.send(
        gates.judgement(
            context.step, "live as in batch", "pass" if agrees else "fail", reason, worst, consistency.MOST
        )
    )
    if not agrees:
        raise WorkflowError(
            f"{reason} Chance does not explain that: the endpoint does not serve the model that was judged. Start a new run."
        )
    return {"what": "live against batch", "sigma": worst, "rows": rows}


def _unseen(
    context: Context, days: Power, asked: list[Window], offline: list[Forecast]
) -> tuple[dict[str, Any], str]:
    """The first days of the unseen year, as the notebook asks for them: from nothing. Beside what is free, and what came."""
    choice = str(context.value("features"))
    window = Window(
        f"{UNSEEN_YEAR}-01", UNSEEN, datetime.date(UNSEEN_YEAR, 1, 1), int(context.value("prediction-length"))
    )
    ((forecast, _),) = _ask(
        context, [lines.asked(days, window.start, window, choice)], int(context.value("samples"))
    )
    history = days.between(days.first, window.start)
    naive, actual = naive_error(history), days.days(window)
    candidates = {EMPTY: forecast, **means(days, window)}
    for place, other in enumerate(asked):
        if other.start == window.start and other.days == window.days and context.value("series") != "years":
            candidates[KNOWN] = offline[place]
    found: dict[str, Scores] = {name: score([Judged(actual, one, naive)]) for name, one in candidates.items()}
    title = f"Forecasts of {window.days} days from {window.start}, and what came (mean {float(actual.mean()):.3f} kW)"
    context.table(context.titled(title), told.COLUMNS, [told.row(name, one) for name, one in found.items()])
    others = {BEFORE: candidates[BEFORE].mean}
    title = f"{UNSEEN_YEAR} from an empty target"
    context.figure(context.titled(title), "fan", told.fan(days, window, forecast, others), "day", "kW")
    frees = {name: one for name, one in found.items() if name in FREE}
    best = min(frees, key=lambda name: frees[name].mean_wql)
    ours, theirs = found[EMPTY], frees[best]
    wins = ours.mean_wql <= theirs.mean_wql
    verdict = (
        f"the unseen year from an empty target: mean wQL {ours.mean_wql:.4f} against {theirs.mean_wql:.4f} of the {best}, RMSE "
        f"{ours.rmse:.3f} against {theirs.rmse:.3f}: " + ("DeepAR wins." if wins else "WHAT IS FREE WINS.")
    )
    context.send(
        gates.judgement(
            context.step, "unseen year", "pass" if wins else "warn", verdict[0].upper() + verdict[1:],
            ours.mean_wql, theirs.mean_wql,
        )
    )  # fmt: skip
    return {
        "what": "unseen year from an empty target",
        "start": str(window.start),
        "mean": forecast.mean.tolist(),
        "quantiles": {
            f"{level:g}": row.tolist() for level, row in zip(LEVELS, forecast.quantiles, strict=True)
        },
        "actual": actual.tolist(),
        "verdict": verdict,
        "metrics": {
            "empty_wql": ours.mean_wql,
            "empty_rmse": ours.rmse,
            "empty_free_wql": theirs.mean_wql,
            "empty_free_rmse": min(one.rmse for one in frees.values()),
        },
    }, verdict


def means(days: Power, window: Window) -> dict[str, Forecast]:
    """What costs nothing for a window that begins with a year: the mean of the days before, the mean of the same days in earlier
    years, and these days one by one; quantiles are those of the days around it."""
    import numpy as np

    before = days.between(window.start - datetime.timedelta(days=MEAN), window.start)
    years = [
        days.between(start, start + datetime.timedelta(days=window.days))
        for year in range(days.first.year, window.start.year)
        if (start := window.start.replace(year=year)) >= days.first
    ]
    earlier = np.array(years)
    daywise = earlier.mean(axis=0)
    flat = np.ones(window.days)
    return {
        name: Forecast(center, center + np.quantile(around, LEVELS)[:, None])
        for name, center, around in (
            (BEFORE, before.mean() * flat, before - before.mean()),
            (MONTH, earlier.mean() * flat, earlier - earlier.mean()),
            (DAYWISE, daywise, earlier - daywise),
        )
    }


def _what_if(context: Context, days: Power, asked: list[Window]) -> dict[str, Any]:
    """The last of the notebook's windows, were its calendar another one: only the feature changes, not the weekday."""
    import numpy as np

    form, choice = context.value("series"), str(context.value("features"))
    if features.OFF not in features.CHOICES[choice]:
        context.log(
            f"No what-if: with features={choice} the model has no dynamic feature that could be otherwise. Use features=days-off or both."
        )
        return {}
    window = [one for one in asked if one.group == DECEMBERS][-1]
    supposed = str(context.value("what-if"))
    start = lines.origin(form, window, days)
    assumed = [float(supposed == "all-off")] * window.days
    calendar = features.rows("days-off", window.start, window.days)[0]
    requests = [
        lines.asked(days, start, window, choice),
        lines.asked(days, start, window, choice, assumed),
    ]
    (as_is, paths), (as_if, other) = (_paths(context, one) for one in requests)
    gap = other.mean(axis=0) - paths.mean(axis=0)
    error = np.sqrt(paths.var(axis=0, ddof=1) / len(paths) + other.var(axis=0, ddof=1) / len(other))
    changed = np.array([one != two for one, two in zip(calendar, assumed, strict=True)])
    # Days of a path depend on each other: the error of a mean over days comes from the paths' own means.
    means = [found[:, changed].mean(axis=1) for found in (paths, other)] if changed.any() else []
    total = float(means[1].mean() - means[0].mean()) if means else 0.0
    spread = math.sqrt(sum(float(one.var(ddof=1)) / len(one) for one in means)) if means else 0.0
    x = told.dates(window.start, window.days)
    entries: list[dict[str, Any]] = [
        {
            "name": "95 % band of the difference of means",
            "x": x,
            "low": [told.rounded(value) for value in gap - NORMAL_95 * error],
            "high": [told.rounded(value) for value in gap + NORMAL_95 * error],
        },
        {"name": "difference of means", "x": x, "y": [told.rounded(value) for value in gap]},
        {"name": "no difference", "x": x, "y": [0.0] * window.days},
    ]
    words = "every day were a day off" if supposed == "all-off" else "every day were a working day"
    context.figure(context.titled(f"What if {words}: {window.name}"), "fan", entries, "day", "kW more")
    sure = abs(total) > 2 * spread
    meaning = (
        f"If {words}, the model forecasts {total:+.3f} ± {spread:.3f} kW on the {int(changed.sum())} days that change"
        f"{'' if sure else ', which is nothing beyond chance'}. It is what went with days off in the past, not what they cause; the weekday, which "
        "the model sees too, stays as it is, so that a free Tuesday is mostly extrapolation."
    )
    context.log(meaning)
    rows = [
        [
            "as the calendar has it",
            told.rounded(as_is.mean.mean()),
            told.rounded(as_is.median.mean()),
            int(sum(calendar)),
        ],
        [
            f"if {words}",
            told.rounded(as_if.mean.mean()),
            told.rounded(as_if.median.mean()),
            int(sum(assumed)),
        ],
    ]
    context.table(
        context.titled(f"What if {words}: {window.name}"),
        ["forecast", "mean kW", "median kW", "days off"],
        rows,
    )
    return {
        "what": f"what if {words}",
        "window": window.name,
        "difference": total,
        "error": spread,
        "meaning": meaning,
    }


def _paths(context: Context, instance: dict[str, Any]) -> tuple[Forecast, Any]:
    """Forecast and sample paths (n, days) of one instance."""
    ((forecast, paths),) = _ask(
        context, [instance], min(LIVE_PATHS, int(context.value("samples"))), "samples"
    )
    return forecast, paths


def _ask(
    context: Context, instances: list[dict[str, Any]], samples: int, *more: str
) -> list[tuple[Forecast, Any]]:
    """Forecast and sample paths (n, days) of each instance; paths are there when ``samples`` are asked for.

    Raises:
        WorkflowError: The endpoint answers something else.
    """
    import numpy as np

    context.check()
    body = {
        "instances": instances,
        "configuration": lines.configuration(samples, *more),
    }
    answer = json.loads(context.interface.invoke(context.run.id, json.dumps(body).encode(), JSON, JSON))
    found = answer.get("predictions") if isinstance(answer, dict) else None
    if not isinstance(found, list) or len(found) != len(instances):
        raise WorkflowError(
            f"The endpoint gave no {len(instances)} predictions for {len(instances)} series. Its log tells more."
        )
    return [(lines.answer(one), np.array(one.get("samples", []), dtype=float)) for one in found]
