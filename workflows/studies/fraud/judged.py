"""Offline scores of every variant by batch transform, the leaderboard, and which variant is worth hosting."""

from __future__ import annotations

import json
import math
from typing import Any

from workflows.events import Gate
from workflows.failures import WorkflowError
from workflows.studies import batch, gates, notebook
from workflows.studies.context import Context
from workflows.studies.fraud import curves, data, free, told
from workflows.studies.fraud.curves import Curve, Point
from workflows.studies.fraud.requirement import Requirement, of
from workflows.studies.fraud.trained import HELD_OUT, image, job_name, wanted
from workflows.studies.fraud.variants import NOTEBOOK
from workflows.studies.study import Result
from workflows.transforms.request import TransformRequest

LINES = "application/jsonlines"
DRAWS = 200
"""Bootstrap draws for the error of a difference."""
MOST_SHORT = 2.0
"""Standard errors by which a requirement may be missed on the test rows before that is no accident."""
RECALL, PRECISION = 0.9, 0.8
"""Where curves are compared with each other, whatever is required."""


def evaluate(context: Context) -> Result:
    """Scores, confusion matrices as trained and at moved thresholds, curves, gates; the variant that is to be hosted.

    Raises:
        Refused: No variant passes, and nobody overruled that.
        WorkflowError: Answers are missing.
    """
    import numpy as np

    context.ledger.verify("prepare", "baseline", "train")
    needed = of(context.run.parameters)
    margin = float(context.value("margin"))
    validation, test = (data.load(context.work / f"{name}.npz") for name in ("validation", "test"))
    scored = _scored(context, len(validation) + len(test))
    titles = {item.name: item.title for item in wanted(context)}
    rows, files = [], []
    lines: dict[str, Curve] = {}
    moved: dict[str, Point] = {}
    merits: dict[str, float] = {}
    held_areas: dict[str, float] = {}
    verdicts: dict[str, list[Gate]] = {}
    passed = context.of("gate")["passed"]
    baselines = {
        name: curves.curve(test.labels, s, test.weights) for name, s in free.stored(context, "test").items()
    }
    best = context.of("baseline")["best"]
    rival = free.stored(context, "test")[best]
    for name, (scores, flags) in scored.items():
        path = context.work / f"scores-{name}.npz"
        np.savez(path, scores=scores, flags=flags)
        files.append(path)
        held, asked = scores[: len(validation)], scores[len(validation) :]
        trained = curves.at(test.labels, flags[len(validation) :], test.weights)
        picked = curves.calibrated(validation, held, needed, margin)
        merits[name] = picked.merit(needed) if picked.meets(needed) else -1e18
        moved[name] = curves.at(test.labels, asked >= picked.threshold, test.weights, picked.threshold)
        lines[name] = curves.curve(test.labels, asked, test.weights)
        held_areas[name] = curves.curve(validation.labels, held, validation.weights).average_precision
        rows += [
            told.row(f"{titles[name]}: as trained", trained),
            told.row(f"{titles[name]}: threshold moved", moved[name]),
        ]
        checks = [
            _both(context, name, flags[len(validation) :]),
            _required(context, name, needed, moved[name], validation, test),
            _against(context, name, needed, best, test, asked, rival),
        ]
        verdicts[name] = checks
    thresholds = context.of("baseline")["thresholds"]
    for name, scores in free.stored(context, "test").items():
        rows.append(
            told.row(name, curves.at(test.labels, scores >= thresholds[name], test.weights, thresholds[name]))
        )
    context.table(told.titled(context, f"Leaderboard: {needed}, test"), told.COLUMNS, rows)
    _notebook(context, scored, test, len(validation))
    _compared(context, {**{titles[name]: line for name, line in lines.items()}, **baselines}, needed)
    told.curves(context, needed, {**lines, **baselines}, moved)
    overruled = bool(context.of("gate")["overruled"])
    # Chosen on validation rows: the test rows choose nothing. A refused run tells what its best variant would have done.
    likely = max(passed, key=lambda name: merits[name])
    # One curve sums up what the algorithm reaches whatever is required: the one of the largest area on the validation rows.
    # Six of their sixty frauds decide the precision at a recall of .9, but all of them the area.
    marks = _curve_metrics(lines[max(passed, key=lambda name: held_areas[name])], needed)
    context.ledger.note("evaluate", scores=_metrics(moved[likely], needed) | marks)
    good, overruled = gates.admitted(context, {name: verdicts[name] for name in passed}, overruled)
    chosen = max(good, key=lambda name: merits[name])
    point = moved[chosen]
    scores_of = _metrics(point, needed) | marks
    return Result(
        outputs={
            "chosen": chosen,
            "threshold": point.threshold,
            "scores": scores_of,
            "overruled": overruled,
            "met": point.meets(needed),
        },
        files=files,
        summary=f"{titles[chosen]} is to be hosted, at threshold {point.threshold:.4g}: recall {point.recall:.3f}, precision "
        f"{point.precision:.3f}, {point.rate:.3%} of the valid transactions flagged.",
    )


def _scored(context: Context, rows: int) -> dict[str, tuple[Any, Any]]:
    """Scores and own flags of every variant on the held-out rows, in their order."""
    import numpy as np

    models = context.of("train")["models"]
    requests = []
    for name, made in models.items():
        title = job_name(context, name)
        batch.need_model(context, title, image(context), made["model_uri"])
        requests.append(
            TransformRequest(
                name=title,
                model=title,
                input=f"{context.prefix}/held-out/{HELD_OUT}",
                output=f"{context.prefix}/scores/{name}",
                accept=LINES,
                instance_type=str(context.value("instance-type")),
                tags=context.tags,
            )
        )
    batch.transform_all(context, requests, int(context.value("parallel")))
    found = {}
    for name, request in zip(models, requests, strict=True):
        lines = batch.answers(context, request.output, HELD_OUT, rows)
        found[name] = parsed(lines)
        if not np.isfinite(found[name][0]).all():
            raise WorkflowError(f"The variant {name} answers scores that are no finite numbers.")
    return found


def parsed(lines: list[str]) -> tuple[Any, Any]:
    """Scores (n,) and flags (n,) of LinearLearner's answers, one JSON document a line.

    Raises:
        WorkflowError: A line is something else.
    """
    import numpy as np

    try:
        answers = [json.loads(line) for line in lines]
        scores = np.array([float(answer["score"]) for answer in answers])
        flags = np.array([int(answer["predicted_label"]) == 1 for answer in answers])
    except (ValueError, KeyError, TypeError) as error:
        raise WorkflowError(f"An answer is not what LinearLearner gives: {error!r}.") from None
    return scores, flags


def _metrics(point: Point, needed: Requirement) -> dict[str, float]:
    return {
        "recall": point.recall,
        "precision": point.precision,
        "false_positive_rate": point.rate,
        "cost": point.cost(needed),
    }


def _curve_metrics(line: Curve, needed: Requirement) -> dict[str, float]:
    return {"average_precision": line.average_precision} | at_marks(line, needed)


def at_marks(line: Curve, needed: Requirement) -> dict[str, float]:
    """The best precision at a recall of at least .9, and the best recall at a precision of at least .8."""
    catch = curves.choose(line, Requirement("catch", RECALL, needed.cost_miss, needed.cost_alarm))
    precise = Requirement("precise", PRECISION, needed.cost_miss, needed.cost_alarm)
    sure = curves.choose(line, precise)
    return {
        "precision_at_recall_90": catch.precision,
        "recall_at_precision_80": sure.recall if sure.meets(precise) else 0.0,
    }


def _compared(context: Context, found: dict[str, Curve], needed: Requirement) -> None:
    """The curves at fixed marks, on the test rows: what a moved threshold could reach with hindsight."""
    rows = []
    for name, line in found.items():
        marks = at_marks(line, needed)
        rows.append([name, round(line.average_precision, 4), *(round(value, 4) for value in marks.values())])
    columns = [
        "model",
        "average precision",
        f"precision at recall >= {RECALL}",
        f"recall at precision >= {PRECISION}",
    ]
    context.table(told.titled(context, "The whole curves, test"), columns, rows)


def _notebook(context: Context, scored: dict[str, tuple[Any, Any]], test: data.Rows, first: int) -> None:
    """What the notebook printed beside what the same settings give here."""
    rows = []
    beside: list[tuple[str, float, float | None]] = []
    for item in NOTEBOOK:
        counts = item.counts
        point = Point(float("nan"), counts.tn, counts.fp, counts.fn, counts.tp)
        rows.append(
            [
                f"{item.variant}: {item.about}",
                round(point.recall, 3),
                round(point.precision, 3),
                round(point.rate, 5),
                round(point.accuracy, 3),
            ]
        )
        if item.about == "notebook" and item.variant in scored:
            ours = curves.at(test.labels, scored[item.variant][1][first:], test.weights)
            beside += [
                (f"{item.variant}: recall", point.recall, ours.recall),
                (f"{item.variant}: precision", point.precision, ours.precision),
                (f"{item.variant}: false-positive rate", point.rate, ours.rate),
            ]
            rows.append(
                [
                    f"{item.variant}: here",
                    round(ours.recall, 3),
                    round(ours.precision, 3),
                    round(ours.rate, 5),
                    round(ours.accuracy, 3),
                ]
            )
    title = told.titled(context, "As the notebook printed it, and as trained here")
    context.table(title, ["variant", "recall", "precision", "FPR", "accuracy"], rows)
    notebook.beside(context, beside)


def _both(context: Context, name: str, flags: Any) -> Gate:
    gate = gates.both_classes(context.step, [int(flag) for flag in flags])
    from dataclasses import replace

    return replace(gate, name=f"{name}: both classes", reason=f"{name}: {gate.reason}")


def _required(
    context: Context, name: str, needed: Requirement, point: Point, validation: data.Rows, test: data.Rows
) -> Gate:
    """Whether the requirement holds on the test rows at the threshold from the validation rows, up to two standard errors."""
    value = point.required(needed)
    if needed.kind == "cost":
        rate = f"{name}: costs {value:,.0f} on the test rows; flagging nothing costs {(point.tp + point.fn) * needed.cost_miss:,.0f}."
        better = value < (point.tp + point.fn) * needed.cost_miss
        return gates.judgement(
            context.step, f"{name}: requirement", "pass" if better else "fail", rate, value
        )
    # Rows behind the share: frauds, valid rows, or flagged rows (as many as the weights make independent ones). The
    # threshold comes from other rows, whose error adds to that of the test rows.
    held = int(validation.labels.sum())
    counted, others = {
        "catch": (float(test.labels.sum()), held),
        "flag": (float((test.labels == 0).sum()), len(validation) - held),
        "precise": (point.tp + point.fp / float(test.weights.max()), held),
    }[needed.kind]
    error = math.hypot(needed.error(counted), needed.error(others))
    short = (value - needed.share) if needed.kind == "flag" else (needed.share - value)
    verdict: gates.Verdict = "pass" if short <= 1e-12 else "warn" if short <= MOST_SHORT * error else "fail"
    reason = f"{name}: {needed.metric.replace('-', ' ')} {value:.4f} on the test rows; required: {needed}"
    reason += (
        "."
        if verdict == "pass"
        else f", short by {short:.4f} (standard error, thresholds included: {error:.4f})."
    )
    return gates.judgement(context.step, f"{name}: requirement", verdict, reason, value, needed.share)


def _against(
    context: Context, name: str, needed: Requirement, best: str, test: data.Rows, scores: Any, rival: Any
) -> Gate:
    """The variant against the best baseline, both at the requirement on the same test rows (paired bootstrap)."""
    ours, theirs, error = differ(test, scores, rival, needed)
    lift = ours - theirs
    what = {"catch": "precision", "cost": "cost"}.get(needed.kind, "recall")
    shown = (-ours, -theirs) if needed.kind == "cost" else (ours, theirs)
    compared = f"{name}: {what} {shown[0]:.4g} at the requirement against {shown[1]:.4g} of {best}, a lift of {lift:+.3g} ± {error:.3g}"
    title = f"{name}: against the baseline"
    if lift >= 0:
        return gates.judgement(context.step, title, "pass", f"{compared}.", ours, theirs)
    if lift >= -error:
        return gates.judgement(
            context.step,
            title,
            "warn",
            f"{compared}: a little short, but within one standard error.",
            ours,
            theirs,
        )
    return gates.judgement(
        context.step, title, "fail", f"{compared}: it loses to a baseline that costs nothing.", ours, theirs
    )


def differ(rows: data.Rows, scores: Any, rival: Any, needed: Requirement) -> tuple[float, float, float]:
    """What two scorers reach at a requirement, and the standard error of the difference (bootstrap over rows, paired)."""
    import numpy as np

    def reached(values: Any, weights: Any) -> float:
        point = curves.choose(curves.curve(rows.labels, values, weights), needed)
        return point.merit(needed) if point.meets(needed) else 0.0

    random = np.random.default_rng(0)
    differences = []
    for _ in range(DRAWS):
        drawn = rows.weights * random.poisson(1.0, len(rows))
        differences.append(reached(scores, drawn) - reached(rival, drawn))
    return reached(scores, rows.weights), reached(rival, rows.weights), float(np.std(differences))
