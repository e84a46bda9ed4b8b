"""Offline scores of every job by batch transform over all windows, beside free forecasts; which job is worth hosting."""

from __future__ import annotations

import datetime
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.studies import batch, gates
from workflows.studies.context import Context
from workflows.studies.forecasting import lines, local, told, verdicts
from workflows.studies.forecasting.notebook import PRINTED
from workflows.studies.forecasting.scores import (
    LEVELS,
    Forecast,
    Judged,
    Scores,
    compared,
    losses,
    score,
    weight,
)
from workflows.studies.forecasting.trained import image, job_name, model_inputs
from workflows.studies.forecasting.windows import DECEMBERS, UNSEEN, Window
from workflows.studies.study import Result
from workflows.transforms.request import TransformRequest

MIXTURE = "all jobs averaged"


def evaluate(context: Context) -> Result:
    """Forecasts of all windows by every job, scores, gates; the job that is to be hosted: the median one, not the luckiest.

    Raises:
        Refused: No job passes, and nobody overruled that.
        WorkflowError: Answers are missing.
    """
    context.ledger.verify("prepare", "train")
    asked = local.windows(context)
    free = local.free_forecasts(context)
    best = context.of("baseline")["best"]
    passed = context.of("gate")["passed"]
    forecasts, files = _forecast(context, passed, asked)
    judged = {
        job: [
            Judged(item.actual, forecast, item.naive)
            for item, forecast in zip(next(iter(free.values())), found, strict=True)
        ]
        for job, found in forecasts.items()
    }
    mixture = [mixed([found[place] for found in forecasts.values()]) for place in range(len(asked))]
    places = {
        group: [n for n, window in enumerate(asked) if window.group == group]
        for group in (DECEMBERS, UNSEEN)
        if any(window.group == group for window in asked)
    }
    board = {
        group: {job: score([found[n] for n in where]) for job, found in judged.items()}
        for group, where in places.items()
    }
    for group, where in places.items():
        rows = [told.row(job, one) for job, one in board[group].items()]
        if len(judged) > 1:
            rows.append(_median_row(board[group]))
            one = score(
                [Judged(judged[passed[0]][n].actual, mixture[n], judged[passed[0]][n].naive) for n in where]
            )
            rows.append(told.row(MIXTURE, one))
        rows += [told.row(name, score([found[n] for n in where])) for name, found in free.items()]
        context.table(
            context.titled(f"Leaderboard: {told.GROUPS[group]}, by batch transform"), told.COLUMNS, rows
        )
    spread = {job: one.mean_wql for job, one in board[DECEMBERS].items()}
    context.ledger.note("evaluate", metrics=_metrics(board, median_of(spread), judged, free, best, places))
    _notebook(context, board[DECEMBERS])
    on_each = {
        job: [
            verdicts.moves(context.step, job, [item.forecast for item in judged[job]]),
            verdicts.covers(context.step, job, judged[job]),
        ]
        for job in passed
    }
    good, overruled = gates.admitted(context, on_each, bool(context.of("gate")["overruled"]))
    chosen = median_of({job: spread[job] for job in good})
    metrics = _metrics(board, chosen, judged, free, best, places)
    _windows(context, asked, judged[chosen], free, best)
    _compared(context, chosen, judged[chosen], free, places)
    _fans(
        context, asked, {window.name: found for window, found in zip(asked, forecasts[chosen], strict=True)}
    )
    _calibration(context, judged[chosen], places)
    # The median job alone is judged: leaving out those that lose would make a lucky one of it.
    overruled = gates.decide(
        context,
        [
            verdicts.against(
                context.step,
                chosen,
                [judged[chosen][n] for n in where],
                [free[best[group]][n] for n in where],
                best[group],
                group,
            )
            for group, where in places.items()
        ],
        overruled,
    )
    one = board[DECEMBERS][chosen]
    return Result(
        outputs={"chosen": chosen, "metrics": metrics, "overruled": overruled},
        files=files,
        summary=f"{chosen}, {f'the median of {len(good)} jobs' if len(good) > 1 else 'the only job'}, is to be hosted: mean wQL {one.mean_wql:.4f} on the notebook's windows "
        f"({min(spread.values()):.4f} to {max(spread.values()):.4f} over the jobs).",
    )


def evaluate_inputs(context: Context) -> dict[str, Any]:
    """What the scores depend on."""
    return model_inputs(context) | {"samples": context.value("samples")}


def median_of(scored: Mapping[str, float]) -> str:
    """The job with the median score; with an even number the worse of the two in the middle."""
    ranked = sorted(scored, key=lambda job: (scored[job], job))
    return ranked[len(ranked) // 2]


def mixed(forecasts: Sequence[Forecast]) -> Forecast:
    """Quantiles and means averaged over jobs (Vincent 1912; Lichtendahl et al. 2013): one forecast of all."""
    import numpy as np

    return Forecast(
        np.mean([one.mean for one in forecasts], axis=0),
        np.mean([one.quantiles for one in forecasts], axis=0),
    )


def stored(context: Context, job: str) -> list[Forecast]:
    """A job's batch forecasts, in the windows' order."""
    import numpy as np

    with np.load(context.work / f"forecasts-{job}.npz", allow_pickle=False) as file:
        return [
            Forecast(mean, quantiles) for mean, quantiles in zip(file["mean"], file["quantiles"], strict=True)
        ]


def _forecast(
    context: Context, jobs: Sequence[str], asked: Sequence[Window]
) -> tuple[dict[str, list[Forecast]], list[Any]]:
    import numpy as np

    path = context.work / local.REQUESTS
    uri = context.interface.upload(path, f"{context.prefix}/asked")
    context.artifact("object", path.name, uri, sha256(path))
    configuration = json.dumps(lines.configuration(int(context.value("samples"))))
    requests = []
    for job in jobs:
        title = job_name(context, job)
        batch.need_model(context, title, image(context), context.of("train")["models"][job]["model_uri"])
        requests.append(
            TransformRequest(
                name=title,
                model=title,
                input=uri,
                output=f"{context.prefix}/forecasts/{job}",
                content_type=lines.LINES,
                accept=lines.LINES,
                strategy="SingleRecord",
                environment={"DEEPAR_INFERENCE_CONFIG": configuration},
                instance_type=str(context.value("instance-type")),
                tags=context.tags,
            )
        )
    batch.transform_all(context, requests, int(context.value("parallel")))
    found, files = {}, []
    for job, request in zip(jobs, requests, strict=True):
        answers = batch.answers(context, request.output, local.REQUESTS, len(asked))
        found[job] = [lines.answer(json.loads(text)) for text in answers]
        if any(len(one.mean) != window.days for one, window in zip(found[job], asked, strict=True)):
            raise WorkflowError(
                f"{job} answers forecasts of another length than the windows have. Start a new run."
            )
        files.append(context.work / f"forecasts-{job}.npz")
        np.savez(
            files[-1],
            mean=np.array([one.mean for one in found[job]]),
            quantiles=np.array([one.quantiles for one in found[job]]),
        )
    return found, files


def _median_row(scored: Mapping[str, Scores]) -> list[Any]:
    values = [
        (
            one.mean_wql,
            *(one.wql[LEVELS.index(level)] for level in (0.1, 0.5, 0.9)),
            one.rmse,
            one.mase,
            one.coverage,
        )
        for one in scored.values()
    ]
    *numbers, mase, coverage = (statistics.median(column) for column in zip(*values, strict=True))
    shown = [told.rounded(value) for value in numbers]
    return [f"median of {len(values)} jobs", *shown, told.rounded(mase, 3), f"{coverage:.0%}"]


def _metrics(
    board: Mapping[str, Mapping[str, Scores]],
    chosen: str,
    judged: Mapping[str, Sequence[Judged]],
    free: Mapping[str, Sequence[Judged]],
    best: Mapping[str, str],
    places: Mapping[str, Sequence[int]],
) -> dict[str, float]:
    found: dict[str, float] = {}
    for group, where in places.items():
        prefix = "" if group == DECEMBERS else "unseen_"
        one = board[group][chosen]
        gap, error = compared([judged[chosen][n] for n in where], [free[best[group]][n] for n in where])
        found |= {
            f"{prefix}mean_wql": one.mean_wql,
            f"{prefix}wql_median": one.wql[LEVELS.index(0.5)],
            f"{prefix}rmse": one.rmse,
            f"{prefix}mase": one.mase,
            f"{prefix}coverage": one.coverage,
            f"{prefix}lift": -gap,
        }
        if math.isfinite(error):
            found[f"{prefix}lift_error"] = error
    values = [one.mean_wql for one in board[DECEMBERS].values()]
    return found | {
        "jobs_median_wql": statistics.median(values),
        "jobs_best_wql": min(values),
        "jobs_worst_wql": max(values),
        "jobs": float(len(values)),
        "jobs_sd": statistics.stdev(values) if len(values) > 1 else 0.0,
    }


def _notebook(context: Context, scored: Mapping[str, Scores]) -> None:
    """What executed notebooks printed, beside the jobs here."""
    rows: list[list[Any]] = [
        [f"printed {one.about}", one.rmse, one.wql, one.median or "-"] for one in PRINTED
    ]
    middle = LEVELS.index(0.5)
    rows += [
        [f"here {job}", told.rounded(one.rmse), told.rounded(one.mean_wql), told.rounded(one.wql[middle])]
        for job, one in scored.items()
    ]
    title = context.titled("What the notebook printed, and what is here, on the notebook's windows")
    context.table(title, ["run", "RMSE", "mean wQL", "wQL 0.5"], rows)


def _windows(
    context: Context,
    asked: Sequence[Window],
    judged: Sequence[Judged],
    free: Mapping[str, Sequence[Judged]],
    best: Mapping[str, str],
) -> None:
    """Each window's score beside the best free forecast's, and how far windows lie apart."""
    rows: list[list[Any]] = []
    for number, (window, item) in enumerate(zip(asked, judged, strict=True)):
        ours, theirs = score([item]), score([free[best[window.group]][number]])
        rows.append(
            [window.name, str(window.start), told.rounded(ours.mean_wql), told.rounded(theirs.mean_wql),
             told.rounded(ours.mean_wql - theirs.mean_wql), told.rounded(ours.rmse), told.rounded(ours.mase, 3),
             f"{ours.coverage:.0%}"]
        )  # fmt: skip
    if len(rows) > 1:
        columns = list(zip(*rows, strict=True))
        spreads = [statistics.stdev(columns[n]) for n in (2, 3, 4, 5)]
        rows.append(["spread (SD)", "", *(told.rounded(value) for value in spreads), "", ""])
    columns_of = [
        "window",
        "first day",
        "mean wQL",
        "best free",
        "difference",
        "RMSE",
        "MASE",
        "in 80 % band",
    ]
    context.table(context.titled("Window by window, the job that is hosted"), columns_of, rows)
    x = [str(window.start) for window in asked]
    per_window = [
        {
            "name": name,
            "x": x,
            "y": [
                told.rounded(losses(item.actual, item.forecast.quantiles).mean() / weight(item.actual))
                for item in items
            ],
        }
        for name, items in {
            "DeepAR": judged,
            **{method: free[method] for method in dict.fromkeys(best.values())},
        }.items()
    ]
    context.figure(context.titled("Mean wQL of each window"), "line", per_window, "first day", "mean wQL")


def _compared(
    context: Context,
    job: str,
    judged: Sequence[Judged],
    free: Mapping[str, Sequence[Judged]],
    places: Mapping[str, Sequence[int]],
) -> None:
    """The job against every free forecast on the same windows."""
    rows = []
    for group, where in places.items():
        for name, found in free.items():
            gap, error = compared([judged[n] for n in where], [found[n] for n in where])
            better = sum(
                losses(judged[n].actual, judged[n].forecast.quantiles).sum()
                < losses(found[n].actual, found[n].forecast.quantiles).sum()
                for n in where
            )
            rows.append(
                [
                    told.GROUPS[group],
                    name,
                    told.rounded(gap),
                    told.rounded(error),
                    f"{better} of {len(where)}",
                ]
            )
    columns = ["windows", "against", "difference of mean wQL", "standard error", "windows won"]
    context.table(context.titled(f"{job} against what is free (less is better for DeepAR)"), columns, rows)


def _fans(context: Context, asked: Sequence[Window], forecasts: Mapping[str, Forecast]) -> None:
    """A fan for each of the notebook's windows, and one over all windows of the unseen year."""
    import numpy as np

    days = local.power(context)
    for window in asked:
        if window.group == DECEMBERS:
            entries = told.fan(days, window, forecasts[window.name])
            context.figure(context.titled(f"Forecast: {window.name}"), "fan", entries, "day", "kW")
    unseen = [window for window in asked if window.group == UNSEEN]
    if unseen:
        whole = Window("all", UNSEEN, unseen[0].start, sum(window.days for window in unseen))
        joined = Forecast(
            np.concatenate([forecasts[window.name].mean for window in unseen]),
            np.concatenate([forecasts[window.name].quantiles for window in unseen], axis=1),
        )
        last = whole.end - datetime.timedelta(days=1)
        title = f"{whole.start} to {last}: {len(unseen)} forecasts of {unseen[0].days} days"
        context.figure(context.titled(title), "fan", told.fan(days, whole, joined), "day", "kW")


def _calibration(context: Context, judged: Sequence[Judged], places: Mapping[str, Sequence[int]]) -> None:
    """The share of days below each forecast quantile: as much as the quantile says, if the forecast is calibrated."""
    import numpy as np

    series = [{"name": "calibrated", "x": list(LEVELS), "y": list(LEVELS)}]
    for group, where in places.items():
        below = [
            np.concatenate([judged[n].actual <= judged[n].forecast.quantiles[place] for n in where]).mean()
            for place in range(len(LEVELS))
        ]
        series.append(
            {"name": told.GROUPS[group], "x": list(LEVELS), "y": [round(float(value), 4) for value in below]}
        )
    context.figure(context.titled("Calibration"), "line", series, "quantile", "share of days below")
